{{- define "gapscope.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "gapscope.labels" -}}
app.kubernetes.io/name: gapscope
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "gapscope.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "gapscope.secret" -}}
{{ .Values.token.existingSecret | default (printf "%s-token" (include "gapscope.name" .)) }}
{{- end -}}

{{- define "gapscope.otlp" -}}
{{- if .Values.otlp.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .Values.otlp.endpoint | quote }}}
{{- end }}
{{- if .Values.otlp.headers }}
- {name: OTEL_EXPORTER_OTLP_HEADERS, value: {{ .Values.otlp.headers | quote }}}
{{- end }}
{{- end -}}

{{/* The container that watches one workload from within its pod: for charts of your own, and for what inject.yaml adds. */}}
{{- define "gapscope.inject.script" -}}
printf 'listen: unix:/tmp/gapscope.sock\nwatch:\n  - {service: "%s", name: "%s"}\n' "$GAPSCOPE_PROCESS" "$GAPSCOPE_PROCESS" > /tmp/serve.yaml && exec gapscope serve --config /tmp/serve.yaml
{{- end -}}
