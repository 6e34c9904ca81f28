{{/* Of the pods, and for the selectors that find them. */}}
{{- define "traefik.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}-{{ .Release.Namespace }}
{{- end -}}

{{/* Of every object. */}}
{{- define "traefik.labels" -}}
{{ include "traefik.selectorLabels" . }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Cluster-scoped names carry the namespace: two releases can live in one cluster. */}}
{{- define "traefik.clusterRoleName" -}}
{{ .Release.Name }}-{{ .Release.Namespace }}
{{- end -}}

{{- define "traefik.image" -}}
{{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* The container's flags: a YAML list, in the order of the official chart. */}}
{{- define "traefik.arguments" -}}
{{- $gateway := .Values.providers.kubernetesGateway -}}
{{- if not .Values.global.checkNewVersion }}
- --global.checkNewVersion=false
{{- end }}
{{- if .Values.global.sendAnonymousUsage }}
- --global.sendAnonymousUsage
{{- end }}
{{- range $name, $port := .Values.ports }}
{{- if $port }}
- --entryPoints.{{ $name }}.address=:{{ $port.port }}/{{ $port.protocol | default "TCP" | lower }}
{{- end }}
{{- end }}
{{- if .Values.api.dashboard }}
- --api.dashboard=true
{{- end }}
- --ping=true
{{- with (.Values.metrics).prometheus }}
- --metrics.prometheus=true
- --metrics.prometheus.entrypoint={{ .entryPoint }}
{{- end }}
{{- if .Values.providers.kubernetesCRD.enabled }}
- --providers.kubernetescrd
{{- end }}
{{- if .Values.providers.kubernetesIngress.enabled }}
- --providers.kubernetesingress
{{- end }}
{{- if $gateway.enabled }}
- --providers.kubernetesgateway
- --providers.kubernetesgateway.statusaddress.service.name={{ $gateway.statusAddress.service.name | default .Release.Name }}
- --providers.kubernetesgateway.statusaddress.service.namespace={{ .Release.Namespace }}
{{- with $gateway.namespaces }}
- --providers.kubernetesgateway.namespaces={{ join "," . }}
{{- end }}
{{- with $gateway.labelSelector }}
- --providers.kubernetesgateway.labelSelector={{ . }}
{{- end }}
{{- end }}
{{- range $name, $port := .Values.ports }}
{{- if (((($port).http).tls).enabled) }}
- --entryPoints.{{ $name }}.http.tls=true
{{- end }}
{{- end }}
{{- with .Values.logs.general.format }}
- --log.format={{ . }}
{{- end }}
- --log.level={{ .Values.logs.general.level | upper }}
{{- if .Values.logs.access.enabled }}
- --accesslog=true
{{- with .Values.logs.access.format }}
- --accesslog.format={{ . }}
{{- end }}
- --accesslog.fields.defaultmode=keep
- --accesslog.fields.headers.defaultmode=drop
{{- end }}
{{- range .Values.additionalArguments }}
- {{ . | quote }}
{{- end }}
{{- end -}}
