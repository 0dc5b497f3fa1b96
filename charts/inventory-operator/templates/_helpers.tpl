{{/*
Gives the values that are absent their defaults. Every template begins with this: `helm upgrade
--reuse-values` brings the values of the chart that was installed, which lack what is newer, and
`--set podDisruptionBudget=null` takes a whole section away.
*/}}
{{- define "inventory-operator.defaults" -}}
{{- include "inventory-operator.fill" (list .Values (.Files.Get "files/defaults.yaml" | fromYaml)) -}}
{{- end -}}

{{/* Takes a list: the values, their defaults. From resources and labels a release may take members away. */}}
{{- define "inventory-operator.fill" -}}
{{- $values := index . 0 -}}
{{- range $key, $default := index . 1 -}}
{{- if or (not (hasKey $values $key)) (kindIs "invalid" (get $values $key)) -}}
{{- $_ := set $values $key $default -}}
{{- else if and (kindIs "map" $default) (not (has $key (list "resources" "labels"))) -}}
{{- include "inventory-operator.fill" (list (get $values $key) $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The beginning of every name. The name of a Service begins with a letter and has no dots; that of a
release may have dots, and begin with a digit.
*/}}
{{- define "inventory-operator.fullname" -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $release -}}
{{- $release = printf "release-%s" $release -}}
{{- end -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name $release -}}
{{- $release | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "inventory-operator.serviceAccount" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name -}}
{{- else if .Values.serviceAccount.create -}}
{{- include "inventory-operator.fullname" . }}-controller-manager
{{- else -}}
{{- fail "serviceAccount.name: give one, or set serviceAccount.create" -}}
{{- end -}}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "inventory-operator.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/* Labels that find the manager's pods. They never change. */}}
{{- define "inventory-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
control-plane: controller-manager
{{- end -}}

{{/* The rules of one of the roles in files/rbac, which are those of kustomize's. Takes a list: the root, the file's name. */}}
{{- define "inventory-operator.rules" -}}
{{- $role := (index . 0).Files.Get (printf "files/rbac/%s.yaml" (index . 1)) | fromYaml -}}
{{- required (printf "files/rbac/%s.yaml has no rules" (index . 1)) $role.rules | toYaml -}}
{{- end -}}

{{/*
The rules of the manager's role: those of kustomize's, and after them those of the features that
are switched on.
*/}}
{{- define "inventory-operator.managerRules" -}}
{{- $root := . -}}
{{- $rules := include "inventory-operator.rules" (list . "role") | fromYamlArray -}}
{{- range $feature, $on := dict
  "endpoint-configmaps" .Values.endpointConfigMaps.enabled
  "secret-watch" .Values.secretWatch.enabled
  "workload-identity" .Values.workloadIdentity.enabled -}}
{{- if $on -}}
{{- range $root.Files.Get (printf "files/rbac/%s.yaml" $feature) | fromYamlArray -}}
{{- $rule := .value -}}
{{- if and (eq $feature "workload-identity") $root.Values.workloadIdentity.serviceAccounts -}}
{{- $_ := set $rule "resourceNames" $root.Values.workloadIdentity.serviceAccounts -}}
{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end -}}

{{/* The manager's ServiceAccount, as the subject of a binding. */}}
{{- define "inventory-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "inventory-operator.serviceAccount" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end -}}

{{- define "inventory-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The ConfigMap with trusted certificates, empty if there is none. */}}
{{- define "inventory-operator.caBundle" -}}
{{- if and .Values.caBundle.pem .Values.caBundle.configMapName -}}
{{- fail "caBundle: give pem or configMapName, not both" -}}
{{- else if .Values.caBundle.pem -}}
{{- include "inventory-operator.fullname" . }}-ca-bundle
{{- else -}}
{{- .Values.caBundle.configMapName -}}
{{- end -}}
{{- end -}}

{{/*
The ports of the API server, and those by which the cloud is reached: of the proxy and of the
endpoints that are allowed.
*/}}
{{- define "inventory-operator.egressPorts" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.egressPorts -}}
{{- $ports = append $ports (int .) -}}
{{- end -}}
{{- $usual := dict "http" 80 "https" 443 "socks5" 1080 "socks5h" 1080 -}}
{{- range concat .Values.allowedEndpoints (compact (list .Values.proxy.https)) -}}
{{- $url := urlParse . -}}
{{- $ports = append $ports (int (regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (get $usual $url.scheme))) -}}
{{- end -}}
{{- toYaml (uniq $ports) -}}
{{- end -}}

{{/*
Fails if two members of a list have the same name, or one has the name of something of the
chart's own. Takes a list: the value's name, the chart's own names, the list, its members' key.
*/}}
{{- define "inventory-operator.distinct" -}}
{{- $names := index . 1 -}}
{{- range index . 2 -}}
{{- $name := get . (index $ 3) | toString -}}
{{- if has $name $names -}}
{{- fail (printf "%s: %s is there already" (index $ 0) $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}

{{/* A quantity as a number, in thousandths, of which CPUs have some. */}}
{{- define "inventory-operator.quantity" -}}
{{- $text := toString . -}}
{{- $units := dict "n" 1e-6 "u" 1e-3 "m" 1.0 "k" 1e6 "M" 1e9 "G" 1e12 "T" 1e15 "P" 1e18 "E" 1e21
  "Ki" 1024e3 "Mi" 1048576e3 "Gi" 1073741824e3 "Ti" 1099511627776e3 "Pi" 1125899906842624e3 "Ei" 1152921504606846976e3 -}}
{{- $unit := regexFind "[A-Za-z]+$" $text -}}
{{- mulf (trimSuffix $unit $text | float64) (get $units $unit | default 1000.0) -}}
{{- end -}}

{{/* Fails if a bundle holds what is no certificate, or one that is cut. The manager would not start with it. */}}
{{- define "inventory-operator.certificates" -}}
{{- $whole := regexFindAll "-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s]+-----END CERTIFICATE-----" . -1 -}}
{{- range $line := list "-----BEGIN " "-----END " -}}
{{- if ne (regexFindAll $line $ -1 | len) (len $whole) -}}
{{- fail "caBundle.pem: holds a block that is no certificate, or that is cut" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
Fails if values do not go together: what the API server or the manager would refuse later, and
what would have no effect.
*/}}
{{- define "inventory-operator.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicas: several managers need leaderElection.enabled" -}}
{{- end -}}
{{- if not .Values.metrics.enabled -}}
{{- range $value, $on := dict
  "serviceMonitor.enabled" .Values.metrics.serviceMonitor.enabled
  "prometheusRule.enabled" .Values.metrics.prometheusRule.enabled
  "cloudAlerts.enabled" .Values.metrics.cloudAlerts.enabled
  "dashboard.enabled" .Values.metrics.dashboard.enabled
  "perObservation" .Values.metrics.perObservation -}}
{{- if $on -}}
{{- fail (printf "metrics.%s: needs metrics.enabled" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $interval := .Values.metrics.serviceMonitor.interval -}}
{{- if not (regexMatch "^(|0|2m|120s|1[01][0-9]s|[6-9][0-9]s|(1m)?([1-5]?[0-9]s)?([0-9]{1,3}ms)?)$" $interval) -}}
{{- fail (printf "metrics.serviceMonitor.interval: is %s, at most 2m: Prometheus forgets a sample after 5m, and alerts would not fire" $interval) -}}
{{- end -}}
{{- if not .Values.rbac.create -}}
{{- range $value, $on := dict "secretWatch" .Values.secretWatch.enabled "workloadIdentity" .Values.workloadIdentity.enabled -}}
{{- if $on -}}
{{- fail (printf "%s.enabled: grants a right to the manager, and so needs rbac.create" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.workloadIdentity.serviceAccounts (not .Values.workloadIdentity.enabled) -}}
{{- fail "workloadIdentity.serviceAccounts: needs workloadIdentity.enabled" -}}
{{- end -}}
{{- if and .Values.readOnlyPolicy.otherWriters (not .Values.readOnlyPolicy.enabled) -}}
{{- fail "readOnlyPolicy.otherWriters: needs readOnlyPolicy.enabled" -}}
{{- end -}}
{{- if and .Values.serviceAccount.annotations (not .Values.serviceAccount.create) -}}
{{- fail "serviceAccount.annotations: needs serviceAccount.create" -}}
{{- end -}}
{{- if and .Values.proxy.none (not .Values.proxy.https) -}}
{{- fail "proxy.none: needs proxy.https" -}}
{{- end -}}
{{- $proxy := empty .Values.proxy.https | ternary list (list "HTTPS_PROXY" "NO_PROXY" "https_proxy" "no_proxy") -}}
{{- include "inventory-operator.distinct" (list "extraEnv" $proxy .Values.extraEnv "name") -}}
{{- $bundled := not (empty (include "inventory-operator.caBundle" .)) -}}
{{- include "inventory-operator.distinct" (list "extraVolumes" ($bundled | ternary (list "ca-bundle") list) .Values.extraVolumes "name") -}}
{{- $volumes := $bundled | ternary (list "ca-bundle") list -}}
{{- range .Values.extraVolumes -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- fail (printf "extraVolumeMounts: there is no volume %s" .name) -}}
{{- end -}}
{{- end -}}
{{- include "inventory-operator.distinct" (list "extraVolumeMounts" ($bundled | ternary (list "/etc/inventory-operator/ca") list) .Values.extraVolumeMounts "mountPath") -}}
{{- $spread := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $pair := printf "%s, %s" .topologyKey .whenUnsatisfiable -}}
{{- if has $pair $spread -}}
{{- fail (printf "topologySpreadConstraints: %s is there already" $pair) -}}
{{- end -}}
{{- $spread = append $spread $pair -}}
{{- end -}}
{{- include "inventory-operator.certificates" .Values.caBundle.pem -}}
{{- range $name, $limit := .Values.resources.limits -}}
{{- $request := dig "requests" $name nil $.Values.resources -}}
{{- if and (ne $request nil) (gt (include "inventory-operator.quantity" $request | float64) (include "inventory-operator.quantity" $limit | float64)) -}}
{{- fail (printf "resources: %s is requested with %v, and limited to %v" $name $request $limit) -}}
{{- end -}}
{{- end -}}
{{- end -}}
