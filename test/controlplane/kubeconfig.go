package controlplane

import (
	"context"
	"fmt"
	"os"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// tokenSeconds is how long a service account's token is good for: a day, so that no
// run outlives it.
const tokenSeconds int64 = 24 * 60 * 60

// ServiceAccountKubeconfig writes to path a kubeconfig file, readable by its owner only,
// with a token good for a day of the service account name in namespace, which is also
// its default namespace. The service account must exist. The file replaces one that is
// there.
func (p *Plane) ServiceAccountKubeconfig(ctx context.Context, namespace, name, path string) error {
	clients, err := kubernetes.NewForConfig(p.Config())
	if err != nil {
		return fmt.Errorf("control plane: client: %w", err)
	}
	seconds := tokenSeconds
	request, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}},
		metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("%s: token for service account %s/%s: %w", apiServerName, namespace, name, err)
	}
	content, err := clientcmd.Write(p.tokenKubeconfig(namespace, name, request.Status.Token))
	if err != nil {
		return fmt.Errorf("control plane: kubeconfig of service account %s/%s: %w", namespace, name, err)
	}
	return writePrivate(path, content)
}

// tokenKubeconfig is a kubeconfig with one context, of user name with token.
func (p *Plane) tokenKubeconfig(namespace, name, token string) clientcmdapi.Config {
	const cluster = "local"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{
		Server:                   p.config.Host,
		CertificateAuthorityData: p.config.CAData,
	}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: name, Namespace: namespace}
	config.CurrentContext = cluster
	return *config
}

// writePrivate writes a file that only its owner can read, whatever was there before.
func writePrivate(path string, content []byte) error {
	err := os.Remove(path)
	if err == nil || os.IsNotExist(err) {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		return fmt.Errorf("control plane: kubeconfig: %w", err)
	}
	return nil
}
