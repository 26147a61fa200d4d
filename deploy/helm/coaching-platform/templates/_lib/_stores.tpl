{{- /* Where the stores are, and how services address each other. Argument: the root. */ -}}

{{- define "lib.nats.url" -}}
{{- with .Values.nats.external -}}
{{- if .enabled -}}
{{ ternary "tls" "nats" .tls }}://{{ .username }}:$(NATS_PASSWORD)@{{ .host }}:{{ .port }}
{{- else -}}
nats://coaching:$(NATS_PASSWORD)@{{ include "lib.fullname" (list $ "nats") }}:4222
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lib.redis.url" -}}
{{- with .Values.redis.external -}}
{{- if .enabled -}}
{{ ternary "rediss" "redis" .tls }}://{{ .username }}:$(REDIS_PASSWORD)@{{ .host }}:{{ .port }}/0
{{- else -}}
redis://:$(REDIS_PASSWORD)@{{ include "lib.fullname" (list $ "redis") }}:6379/0
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lib.chroma.url" -}}
{{- with .Values.chroma.external -}}
{{- if .enabled -}}
{{ ternary "https" "http" .tls }}://{{ if .username }}{{ .username }}:$(CHROMA_TOKEN)@{{ end }}{{ .host }}:{{ .port }}
{{- else -}}
http://{{ include "lib.fullname" (list $ "chroma") }}:8000
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* (root, user, name of the variable with the password) */ -}}
{{- define "lib.database.url" -}}
{{- $root := index . 0 -}}
{{- $external := $root.Values.postgresql.external -}}
{{- $place := printf "%s:5432/coaching" (include "lib.fullname" (list $root "postgresql")) -}}
{{- if $external.enabled -}}
{{- $place = printf "%s:%v/%s" $external.host $external.port $external.database -}}
{{- with $external.sslMode -}}
{{- $place = printf "%s?ssl=%s" $place . -}}
{{- end -}}
{{- end -}}
{{- printf "postgresql://%s:$(%s)@%s" (index . 1) (index . 2) $place -}}
{{- end -}}

{{- /* host:port of a service's gRPC: (root, component). A headless name: the client takes all pods behind it in turns. */ -}}
{{- define "lib.grpcAddress" -}}
{{ include "lib.fullname" . }}:50051
{{- end -}}

{{- /*
The init container of each service of ours: its role can connect, and the schema is this chart's or newer. So after a migration
that failed no new pod becomes ready beside the old version: (root, user, name of the password in the Secret).
*/ -}}
{{- define "lib.waitForDatabase" -}}
- name: wait-for-database
  image: platformctl
  user: 10001
  args: [db, wait, --min-revision, {{ index (index . 0).Chart.Annotations "coaching-platform/schema-revision" | quote }}, --timeout, "1800"]
  env:
    ENVIRONMENT: {{ (index . 0).Values.environment }}
    DATABASE_URL: {{ include "lib.database.url" . | quote }}
  secrets:
    {{ index . 2 }}: {{ index . 2 }}
{{- end -}}

{{- /* The same for a service without a role of its own: the gateway's may read the revision, and owns no person's data. */ -}}
{{- define "lib.waitForSchema" -}}
{{- include "lib.waitForDatabase" (list . "gateway_service" "GATEWAY_DATABASE_PASSWORD") -}}
{{- end -}}

{{- /* Probes of a service that speaks gRPC; it listens when its store or model is there. */ -}}
{{- define "lib.grpcProbes" -}}
startup: {grpc: 50051, {{ include "lib.startupTimes" . }}}
readiness: {grpc: 50051, {{ include "lib.readinessTimes" . }}}
liveness: {grpc: 50051, {{ include "lib.livenessTimes" . }}}
{{- end -}}
