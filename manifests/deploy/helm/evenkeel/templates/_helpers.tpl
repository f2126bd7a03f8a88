{{- define "evenkeel.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "evenkeel.selector" -}}
app.kubernetes.io/name: evenkeel
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "evenkeel.labels" -}}
{{ include "evenkeel.selector" . }}
app.kubernetes.io/part-of: evenkeel
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* What is read and written in a namespace. */}}
{{- define "evenkeel.rules" -}}
- apiGroups: [evenkeel.dev]
  resources:
    - alerts
    - backendservices
    - checks
    - healthchecks
    - managedcertificates
    - phases
    - runservices
    - sqlinstances
    - sslcertificates
    - vpcaccessconnectors
  verbs: [get, list, watch, patch]
- apiGroups: [evenkeel.dev]
  resources:
    - alerts/status
    - backendservices/status
    - checks/status
    - healthchecks/status
    - managedcertificates/status
    - phases/status
    - runservices/status
    - sqlinstances/status
    - sslcertificates/status
    - vpcaccessconnectors/status
  verbs: [get, update, patch]
- apiGroups: [evenkeel.dev]
  resources:
    - backendservices/finalizers
    - healthchecks/finalizers
    - managedcertificates/finalizers
    - runservices/finalizers
    - sqlinstances/finalizers
    - sslcertificates/finalizers
    - vpcaccessconnectors/finalizers
  verbs: [update]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
