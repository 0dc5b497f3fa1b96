{{/* The beginning of every name. */}}
{{- define "inventory-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
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
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels that find the manager's pods. They never change. */}}
{{- define "inventory-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
control-plane: controller-manager
{{- end -}}

{{/* The rules of one of the roles in files/rbac, which are those of kustomize's. Takes a list: the root, the file's name. */}}
{{- define "inventory-operator.rules" -}}
{{- $role := (index . 0).Files.Get (printf "files/rbac/%s.yaml" (index . 1)) | fromYaml -}}
{{- required (printf "files/rbac/%s.yaml has no rules" (index . 1)) $role.rules | toYaml -}}
{{- end -}}

{{/* The manager's ServiceAccount, as the subject of a binding. */}}
{{- define "inventory-operator.subjects" -}}
- kind: ServiceAccount
  name: {{ include "inventory-operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
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
