{{- /* Names, labels, images. Arguments are lists, the root first. */ -}}

{{- /* The name of a component's objects: (root, component). */ -}}
{{- define "lib.fullname" -}}
{{- printf "%s-%s" (index . 0).Release.Name (index . 1) -}}
{{- end -}}

{{- /* The values key of a component: channel-adapter -> channelAdapter. */ -}}
{{- define "lib.key" -}}
{{- . | camelcase | untitle -}}
{{- end -}}

{{- /* What selects a component's pods; never changes, and is all that pods are labelled with: (root, component). */ -}}
{{- define "lib.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- /* Labels of objects. Not of pods: a new chart version would restart them all: (root, component). */ -}}
{{- define "lib.labels" -}}
{{ include "lib.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* One of our images: (root, name). A full reference wins, then a digest, then the tag. */ -}}
{{- define "lib.image" -}}
{{- $image := (index . 0).Values.global.image -}}
{{- $name := index . 1 -}}
{{- $path := list $image.registry $image.repository $name | compact | join "/" -}}
{{- if index $image.references $name -}}
{{- index $image.references $name -}}
{{- else if index $image.digests $name -}}
{{- printf "%s@%s" $path (index $image.digests $name) -}}
{{- else -}}
{{- printf "%s:%s" $path ($image.tag | default (index . 0).Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- /* A public image: (root, its values). */ -}}
{{- define "lib.publicImage" -}}
{{- $image := index . 1 -}}
{{- $path := list ($image.registry | default (index . 0).Values.global.image.publicRegistry) $image.repository | compact | join "/" -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $path $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $path $image.tag -}}
{{- end -}}
{{- end -}}

{{- /* The Secret with the platform's passwords. */ -}}
{{- define "lib.secretName" -}}
{{- .Values.secrets.existingSecret | default (include "lib.fullname" (list . "secrets")) -}}
{{- end -}}

{{- /* A value as text; Helm reads whole numbers as floats and would write 2000000 as 2e+06. */ -}}
{{- define "lib.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}
