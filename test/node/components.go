// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The node's networks. They exist in its network namespace alone.
const (
	nodeName    = "node"
	nodeAddress = "10.240.0.1"
	services    = "10.241.0.0/24"
	apiService  = "10.241.0.1"
	pods        = "10.242.0.0/24"

	apiServerURL = "https://" + nodeAddress + ":6443"
	// pauseImage is the image of each pod's first process.
	pauseImage = "localhost/pause:e2e"
)

const containerdConfig = `version = 3
root = %[1]q
state = %[2]q

[grpc]
address = %[3]q

[plugins.'io.containerd.cri.v1.images']
snapshotter = 'overlayfs'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = %[4]q

[plugins.'io.containerd.cri.v1.runtime']
# Where a process may not make itself less likely to be killed.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [%[5]q]
conf_dir = %[6]q
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
`

// cniConfig connects each pod by a link of its own, so that a reply passes the node and with it
// what kube-proxy did to the request.
const cniConfig = `{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [{
    "type": "ptp",
    "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`

const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: %[1]s/ca.crt
tlsCertFile: %[1]s/kubelet-serving.crt
tlsPrivateKeyFile: %[1]s/kubelet-serving.key
containerRuntimeEndpoint: unix://%[2]s
resolvConf: %[3]s
cgroupDriver: cgroupfs
cgroupRoot: /%[4]s
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
# The disk is the machine's, and its fill no business of this node's.
evictionHard:
  imagefs.available: 0%%
  nodefs.available: 0%%
  memory.available: 1Mi
`

// certificates makes the cluster's authority and what it signs.
func (n *node) certificates(context.Context) error {
	folder, err := n.folder("certs")
	if err != nil {
		return err
	}
	if n.certs, err = newAuthority(folder); err != nil {
		return err
	}
	for _, holder := range []struct {
		name, user, group string
		addresses         []string
	}{
		{"kube-apiserver", "kube-apiserver", "", []string{"127.0.0.1", nodeAddress, apiService}},
		{"kubelet-serving", "system:node:" + nodeName, "", []string{nodeAddress}},
		{"kubelet-client", "kube-apiserver", "system:masters", nil},
		{"service-accounts", "service-accounts", "", nil},
	} {
		if err := n.certs.issue(holder.name, holder.user, holder.group, holder.addresses...); err != nil {
			return err
		}
	}
	for _, client := range []struct{ name, user, group string }{
		{"admin", "admin", "system:masters"},
		{"kubelet", "system:node:" + nodeName, "system:nodes"},
		{"kube-proxy", "system:kube-proxy", ""},
		{"kube-scheduler", "system:kube-scheduler", ""},
		{"kube-controller-manager", "system:kube-controller-manager", ""},
	} {
		if err := n.certs.kubeconfig(client.name, client.user, client.group); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) etcd(ctx context.Context) error {
	folder, err := n.folder("etcd")
	if err != nil {
		return err
	}
	if err := n.start(filepath.Join(n.assets, "etcd"), "--data-dir="+folder, "--unsafe-no-fsync"); err != nil {
		return err
	}
	return await(ctx, "answer", answers("http://127.0.0.1:2379/health"))
}

func (n *node) apiServer(ctx context.Context) error {
	file := n.certs.file
	if err := n.start(filepath.Join(n.assets, "kube-apiserver"),
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+nodeAddress,
		"--service-cluster-ip-range="+services,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file="+file("ca.crt"),
		"--tls-cert-file="+file("kube-apiserver.crt"), "--tls-private-key-file="+file("kube-apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+file("service-accounts.crt"), "--service-account-signing-key-file="+file("service-accounts.key"),
		"--kubelet-certificate-authority="+file("ca.crt"),
		"--kubelet-client-certificate="+file("kubelet-client.crt"), "--kubelet-client-key="+file("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
	); err != nil {
		return err
	}
	client, err := n.client()
	if err != nil {
		return err
	}
	return await(ctx, "answer", func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

func (n *node) controllers(context.Context) error {
	file := n.certs.file
	if err := n.start(filepath.Join(n.binaries, "kube-controller-manager"),
		"--kubeconfig="+file("kube-controller-manager.kubeconfig"),
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+file("service-accounts.key"),
		"--root-ca-file="+file("ca.crt"),
		"--leader-elect=false",
	); err != nil {
		return err
	}
	return n.start(filepath.Join(n.binaries, "kube-scheduler"),
		"--kubeconfig="+file("kube-scheduler.kubeconfig"), "--leader-elect=false")
}

// socket is containerd's address.
func (n *node) socket() string { return filepath.Join(n.dir, "containerd.sock") }

func (n *node) containerd(ctx context.Context) error {
	plugins, err := pluginFolder()
	if err != nil {
		return err
	}
	var folders [3]string
	for i, name := range []string{"containerd/root", "containerd/state", "cni"} {
		if folders[i], err = n.folder(name); err != nil {
			return err
		}
	}
	root, state, cni := folders[0], folders[1], folders[2]
	config := filepath.Join(n.dir, "containerd.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, containerdConfig, root, state, n.socket(), pauseImage, plugins, cni), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(cni, "pods.conflist"), fmt.Appendf(nil, cniConfig, pods), 0o600); err != nil {
		return err
	}
	if err := n.start(filepath.Join(n.binaries, "containerd"), "--config="+config); err != nil {
		return err
	}
	return await(ctx, "answer", func(ctx context.Context) error { return n.ctr(ctx, "version") })
}

// ctr runs containerd's own client.
func (n *node) ctr(ctx context.Context, args ...string) error {
	args = append([]string{"--address", n.socket(), "--namespace", "k8s.io"}, args...)
	if out, err := exec.CommandContext(ctx, filepath.Join(n.binaries, "ctr"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ctr: %w: %s", err, out)
	}
	return nil
}

// load loads the images, which no registry is asked for then.
func (n *node) load(ctx context.Context) error {
	for _, image := range n.images {
		if err := n.ctr(ctx, "images", "import", image); err != nil {
			return err
		}
	}
	return nil
}

// kubelet starts what runs pods and what gives services their addresses.
func (n *node) kubelet(ctx context.Context) error {
	root, err := n.folder("kubelet")
	if err != nil {
		return err
	}
	resolv := filepath.Join(n.dir, "resolv.conf") // Nothing answers: the node has no DNS.
	if err := os.WriteFile(resolv, []byte("nameserver "+nodeAddress+"\n"), 0o644); err != nil {
		return err
	}
	config := filepath.Join(n.dir, "kubelet.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, kubeletConfig, n.certs.folder, n.socket(), resolv, filepath.Base(n.dir)), 0o600); err != nil {
		return err
	}
	if err := n.start(filepath.Join(n.binaries, "kubelet"),
		"--config="+config,
		"--kubeconfig="+n.certs.file("kubelet.kubeconfig"),
		"--root-dir="+root,
		"--hostname-override="+nodeName,
		"--node-ip="+nodeAddress,
	); err != nil {
		return err
	}
	if err := n.start(filepath.Join(n.binaries, "kube-proxy"),
		"--kubeconfig="+n.certs.file("kube-proxy.kubeconfig"),
		"--hostname-override="+nodeName,
		"--proxy-mode=iptables",
		"--cluster-cidr="+pods,
		"--conntrack-max-per-core=0", // The limit is the whole machine's.
	); err != nil {
		return err
	}
	client, err := n.client()
	if err != nil {
		return err
	}
	return await(ctx, "node that is ready", nodeReady(client))
}
