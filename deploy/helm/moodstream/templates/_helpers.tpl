{{- /* The image of a service: by its digest where one is given. Wants the chart and the service's name. */}}
{{- define "moodstream.image" -}}
{{- $top := index . 0 }}{{- $name := index . 1 }}{{- $images := $top.Values.images }}
{{- with index $images.digests $name -}}
{{ $images.registry }}moodstream/{{ $name }}@{{ . }}
{{- else -}}
{{ $images.registry }}moodstream/{{ $name }}:{{ default $top.Chart.AppVersion $images.tag }}
{{- end }}
{{- end }}

{{- /* Limits as JSON, with what values say of them. Wants the chart, the name of the workload and its limits as JSON. */}}
{{- define "moodstream.resources" -}}
{{- $own := default dict (index (index . 0).Values.resources (index . 1)) }}
{{- mergeOverwrite (fromJson (index . 2)) (deepCopy $own) | toJson }}
{{- end }}

{{- define "moodstream.secret" }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    app.kubernetes.io/part-of: moodstream
type: Opaque
data:
  {{- range $file, $text := .files }}
  {{ $file }}: {{ $text | b64enc }}
  {{- end }}
---
{{- end }}
