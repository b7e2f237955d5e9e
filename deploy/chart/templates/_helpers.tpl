{{- define "extproc.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "extproc.selector" -}}
app.kubernetes.io/name: extproc
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "extproc.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "extproc.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "extproc.metadata" -}}
name: {{ include "extproc.name" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "extproc.labels" . | nindent 2 }}
{{- end -}}

{{- define "extproc.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "extproc.name" .) -}}
{{- end -}}

{{- /* One port for each service of the settings file. */ -}}
{{- define "extproc.ports" -}}
{{- $ports := list -}}
{{- range $i, $_ := .Values.settings.services | default (list "base") -}}
{{- $ports = append $ports (dict "name" (ternary "grpc" (printf "grpc-%d" (add1 $i)) (eq $i 0)) "port" (add $.Values.port $i)) -}}
{{- end -}}
{{- range $ports -}}
{{- if eq (int .port) (int $.Values.metricsPort) -}}
{{- fail (printf "metricsPort is %d, which one of the services has: choose another" (int .port)) -}}
{{- end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{- define "extproc.gracePeriod" -}}
{{- if ge (int .Values.drainDelay) (int .Values.gracePeriod) -}}
{{- fail (printf "drainDelay is %d, which is not less than gracePeriod, %d" (int .Values.drainDelay) (int .Values.gracePeriod)) -}}
{{- end -}}
{{- .Values.gracePeriod -}}
{{- end -}}

{{- define "extproc.tlsSecret" -}}
{{- if .Values.tls.secretName -}}
{{- .Values.tls.secretName -}}
{{- else if .Values.tls.certManager.enabled -}}
{{- include "extproc.name" . }}-tls
{{- else -}}
{{- fail "tls.enabled is true: name the Secret with certificate and key in tls.secretName, or set tls.certManager.enabled" -}}
{{- end -}}
{{- end -}}

{{- /* kubelet's gRPC probe speaks no TLS. */ -}}
{{- define "extproc.probe" -}}
{{- if .Values.tls.enabled -}}
httpGet: { path: /readyz, port: metrics }
{{- else -}}
grpc: { port: {{ .Values.port }} }
{{- end -}}
{{- end -}}
