{{- /* NetworkPolicies out of files/connections.yaml. */ -}}

{{- /* Where places outside are and when they are needed: place -> {needed, peers, ports}. */ -}}
{{- define "lib.places" -}}
{{- $v := .Values -}}
{{- $policies := $v.networkPolicies -}}
edge:
  needed: {{ or $v.ingress.enabled $v.gatewayApi.enabled (not (empty $policies.edge)) }}
  peers: {{ toJson $policies.edge }}
monitoring:
  needed: {{ not (empty $policies.monitoring) }}
  peers: {{ toJson $policies.monitoring }}
dns:
  needed: true
  peers: {{ toJson $policies.dns }}
  ports: [53]
api-server:
  needed: true
  peers: {{ toJson $policies.apiServer.peers }}
  ports: {{ toJson $policies.apiServer.ports }}
telegram:
  needed: {{ $v.telegram.enabled }}
  peers: {{ $v.telegram.networkPeers | default $policies.world | toJson }}
  ports: [{{ include "lib.urlPort" $v.telegram.apiUrl }}]
s3:
  needed: {{ eq $v.uploads.type "s3" }}
  peers: {{ $v.uploads.s3.networkPeers | default $policies.world | toJson }}
  ports: [{{ include "lib.urlPort" ($v.uploads.s3.endpointUrl | default "https://s3.amazonaws.com") }}]
model-api:
  needed: {{ or (eq $v.llmInference.provider "openai_compatible") (and (eq $v.llmInference.provider "ollama") (not $v.ollama.enabled)) }}
  peers: {{ $v.llmInference.server.networkPeers | default $policies.world | toJson }}
  ports: [{{ include "lib.urlPort" ($v.llmInference.server.url | default "https://model") }}]
ollama-library:
  needed: {{ eq $v.ollama.model.source "library" }}
  peers: {{ toJson $policies.world }}
  ports: [443]
telemetry:
  needed: {{ not (empty $v.monitoring.otlpEndpoint) }}
  peers: {{ toJson $v.monitoring.otlpPeers }}
  ports: [{{ include "lib.urlPort" ($v.monitoring.otlpEndpoint | default "http://none:4317") }}]
{{- range list "postgresql" "nats" "redis" "chroma" }}
{{- $external := (index $v .).external }}
{{- if $external.enabled }}
{{ . }}:
  needed: true
  peers: {{ toJson $external.networkPeers }}
  ports: [{{ $external.port }}]
{{- end }}
{{- end }}
{{- end -}}

{{- /* The API server as Helm finds it: its Service and what is behind it, as peers; empty where Helm asks no cluster. */ -}}
{{- define "lib.apiServer" -}}
{{- $service := lookup "v1" "Service" "default" "kubernetes" -}}
{{- $addresses := dig "spec" "clusterIPs" list $service -}}
{{- range dig "endpoints" list (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "kubernetes") -}}
{{- $addresses = concat $addresses .addresses -}}
{{- end -}}
{{- $peers := list -}}
{{- range $addresses | uniq | sortAlpha -}}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" (printf "%s/%d" . (ternary 128 32 (contains ":" .))))) -}}
{{- end -}}
{{- toYaml $peers -}}
{{- end -}}

{{- define "lib.urlPort" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host -}}
{{- if $port }}{{ trimPrefix ":" $port }}{{ else }}{{ ternary 443 80 (eq $url.scheme "https") }}{{ end -}}
{{- end -}}

{{- define "lib.peerPods" -}}
podSelector:
  matchLabels:
    {{- include "lib.selector" . | nindent 4 }}
{{- end -}}

{{- /* One rule: (direction, peers as YAML list, ports, with UDP). */ -}}
{{- define "lib.rule" -}}
{{- $udp := index . 3 -}}
- {{ index . 0 }}:
    {{- index . 1 | nindent 4 }}
  ports:
    {{- range index . 2 }}
    - protocol: TCP
      port: {{ . }}
    {{- if $udp }}
    - protocol: UDP
      port: {{ . }}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "lib.networkPolicy" -}}
{{- $root := .root -}}
{{- $name := .name -}}
{{- /* A job before an upgrade meets the policies of the release that is there, whatever the new values say. */ -}}
{{- if or $root.Values.networkPolicies.enabled (dig "hook" "around" false .spec) -}}
{{- $table := include "lib.table" $root | fromYaml -}}
{{- $places := include "lib.places" $root | fromYaml -}}
{{- $ingress := list -}}
{{- $egress := list -}}
{{- range $from, $targets := $table -}}
{{- if hasKey $targets $name -}}
{{- $ports := index $targets $name -}}
{{- if hasKey $places $from -}}
{{- $place := index $places $from -}}
{{- if $place.needed -}}
{{- /* An edge that nobody named may be anywhere: the page is public. */ -}}
{{- $ingress = append $ingress (include "lib.rule" (list "from" ($place.peers | default (list (dict "ipBlock" (dict "cidr" "0.0.0.0/0"))) | toYaml) $ports false)) -}}
{{- end -}}
{{- else if eq (include "lib.isEnabled" (list $root $from)) "true" -}}
{{- $ingress = append $ingress (include "lib.rule" (list "from" (list (include "lib.peerPods" (list $root $from) | fromYaml) | toYaml) $ports false)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $to, $ports := omit (index $table $name) "dns" -}}
{{- if hasKey $places $to -}}
{{- $place := index $places $to -}}
{{- if $place.needed -}}
{{- $peers := $place.peers -}}
{{- if and (not $peers) (eq $to "api-server") -}}
{{- $peers = include "lib.apiServer" $root | fromYamlArray | default (list (dict "ipBlock" (dict "cidr" "0.0.0.0/0"))) -}}
{{- end -}}
{{- $egress = append $egress (include "lib.rule" (list "to" ($peers | toYaml) $place.ports false)) -}}
{{- end -}}
{{- else if eq (include "lib.isEnabled" (list $root $to)) "true" -}}
{{- $egress = append $egress (include "lib.rule" (list "to" (list (include "lib.peerPods" (list $root $to) | fromYaml) | toYaml) $ports false)) -}}
{{- end -}}
{{- end -}}
{{- /* Who asks nobody has no name to look up. */ -}}
{{- if and $egress (hasKey (index $table $name) "dns") -}}
{{- $egress = append $egress (include "lib.rule" (list "to" ($places.dns.peers | toYaml) $places.dns.ports true)) -}}
{{- end -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list $root $name)) dict false) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "lib.selector" (list $root $name) | nindent 6 }}
  # A direction without rules is closed. (An empty list would come back from the API server as none: a change each time.)
  policyTypes: [Ingress, Egress]
  {{- if or $ingress .values.extraIngress }}
  ingress:
    {{- range $ingress }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .values.extraIngress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- if or $egress .values.extraEgress }}
  egress:
    {{- range $egress }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .values.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- /* Whether this release has a component: (root, name). */ -}}
{{- define "lib.isEnabled" -}}
{{- (include "lib.definition" . | fromYaml).enabled -}}
{{- end -}}
