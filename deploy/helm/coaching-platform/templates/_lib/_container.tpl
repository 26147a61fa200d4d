{{- /* Containers: the component's own and those before it. */ -}}

{{- define "lib.containerSecurity" -}}
{{- /* (context, the container with its user) */ -}}
{{- $user := (index . 1).user | default (index . 0).spec.user | default 10001 -}}
runAsNonRoot: true
runAsUser: {{ $user | int64 }}
runAsGroup: {{ (index . 1).group | default (index . 0).spec.group | default $user | int64 }}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ (index . 0).values.readOnlyRootFilesystem }}
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* Environment: secrets first, so that values may contain them as $(NAME): (root, env, secrets, foreignSecrets). */ -}}
{{- define "lib.env" -}}
{{- $root := index . 0 -}}
{{- range $name, $key := index . 2 }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ include "lib.secretName" $root }}
      key: {{ $key }}
{{- end }}
{{- range index . 3 }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end }}
{{- range $name, $value := index . 1 }}
{{- $text := include "lib.text" $value }}
{{- if eq $text "@pod" }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- else if ne $text "" }}
- name: {{ $name }}
  value: {{ $text | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* What every service of ours reads; its own definition and the operator's settings come over it. */ -}}
{{- define "lib.serviceEnv" -}}
ENVIRONMENT: {{ .root.Values.environment }}
LOG_LEVEL: {{ .values.logLevel | quote }}
BIND_HOST: "0.0.0.0"
{{- with .spec.ports.http }}
HTTP_PORT: {{ . | quote }}
{{- end }}
{{- with .spec.ports.grpc }}
GRPC_PORT: {{ . | quote }}
{{- end }}
DRAIN_SECONDS: {{ .values.drainSeconds | quote }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .root.Values.monitoring.otlpEndpoint | quote }}
{{- end -}}

{{- define "lib.mainContainer" -}}
{{- $env := dict -}}
{{- if .spec.service -}}
{{- $env = include "lib.serviceEnv" . | fromYaml -}}
{{- end -}}
{{- $env = mergeOverwrite $env (.spec.env | default dict) (.values.settings | default dict) -}}
name: {{ .name }}
image: {{ .spec.publicImage | default (include "lib.image" (list .root (.spec.image | default .name))) }}
imagePullPolicy: {{ .root.Values.global.image.pullPolicy }}
{{- with .spec.command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .spec.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "lib.env" (list .root $env .spec.secrets .spec.foreignSecrets) | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with .spec.ports }}
ports:
  {{- range $name, $port := . }}
  - name: {{ $name }}
    containerPort: {{ $port }}
    protocol: TCP
  {{- end }}
{{- end }}
{{- range $kind, $probe := .spec.probes }}
{{ $kind }}Probe:
  {{- include "lib.probe" $probe | nindent 2 }}
{{- end }}
{{- if has .spec.kind (list "Deployment" "StatefulSet") }}
lifecycle:
  preStop:
    {{- with .spec.preStop }}
    exec:
      command:
        {{- toYaml . | nindent 8 }}
    {{- else }}
    # Nobody is cut off: requests still come until every node has heard that this pod goes.
    sleep:
      seconds: {{ .values.preStopSeconds }}
    {{- end }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  {{- include "lib.containerSecurity" (list . dict) | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if .spec.files }}
  - name: files
    mountPath: {{ .spec.filesFolder }}
    readOnly: true
  {{- end }}
  {{- range .spec.folders }}
  - name: {{ .name }}
    mountPath: {{ .path }}
  {{- end }}
  {{- range .spec.claims }}
  - name: {{ .name }}
    mountPath: {{ .path }}
  {{- end }}
  {{- with .spec.mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- /* A container that ends before the component starts: (context, its definition). */ -}}
{{- define "lib.initContainer" -}}
{{- $context := index . 0 -}}
{{- $init := index . 1 -}}
name: {{ $init.name }}
image: {{ $init.publicImage | default (include "lib.image" (list $context.root ($init.image | default $init.name))) }}
imagePullPolicy: {{ $context.root.Values.global.image.pullPolicy }}
{{- with $init.command }}
command:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $init.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "lib.env" (list $context.root ($init.env | default dict) $init.secrets list) | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml ($init.resources | default $context.values.initResources) | nindent 2 }}
securityContext:
  {{- include "lib.containerSecurity" (list $context $init) | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- with $init.mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "lib.probe" -}}
{{- if .http -}}
httpGet:
  path: {{ .http }}
  port: {{ .port | default "http" }}
{{- else if .grpc -}}
grpc:
  port: {{ .grpc }}
{{- else if .exec -}}
exec:
  command:
    {{- toYaml .exec | nindent 4 }}
{{- end }}
periodSeconds: {{ .period | default 10 }}
timeoutSeconds: {{ .timeout | default 5 }}
failureThreshold: {{ .failures | default 3 }}
successThreshold: 1
{{- end -}}

{{- /* Times of probes, so that all components agree: a start may take five minutes, a hang is ended after one. */ -}}
{{- define "lib.startupTimes" -}}
period: 2, failures: 150
{{- end -}}
{{- define "lib.readinessTimes" -}}
period: 5, failures: 3
{{- end -}}
{{- define "lib.livenessTimes" -}}
period: 10, failures: 6
{{- end -}}
