{{- /*
A component is a folder here with one file that defines "component.<name>" and ends with
  {{ include "lib.component" (list $ "<name>") }}
plus a key in values.yaml and its rows in files/connections.yaml. The definition is YAML:

  enabled           whether this release has it
  kind              Deployment, StatefulSet, Job or Pod
  image             name of one of our images; or publicImage: a complete reference
  service           true: one of our services, which gets the settings that all of them read
  user, group       numbers; 10001 unless said
  command, args     of the container; our images need no command
  ports             name: number
  services          [{suffix, ports, headless}]; the first one is the StatefulSet's own
  env               name: value; empty ones are left out
  secrets           name: key in the platform's Secret; may be used in env as $(NAME)
  foreignSecrets    [{name, secret, key, optional}]
  files             name: content, mounted read-only in filesFolder; a change restarts the pods
  folders           [{name, path, size, medium}]: empty at the start of a pod
  claims            [{name, path, values}]: a claim template of a StatefulSet
  volumes, mounts   as in Kubernetes
  init              [{name, image | publicImage, user, command, args, env, secrets, mounts, resources}] in order
  probes            startup, readiness, liveness: {http, port} | {grpc} | {tcp} | {exec}, and the times
  preStop           what is run before the stop instead of waiting preStopSeconds
  graceSeconds      time to stop, all in all
  strategy          replicas and surge, where values do not say them: replicas
  rules             what its service account may do with Kubernetes
  hook              {events, weight, around}: its pod is a Helm hook; around: its account and policy too
  single            true: never more than one pod, whatever values say
  oneNode           true: all its pods on one node, as they share a volume that attaches to one
  metrics           true: /metrics on the port "http"
  problems          sentences about its values; any of them refuses the release
*/ -}}
{{- define "lib.component" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- include "lib.refuse" $root -}}
{{- $context := include "lib.context" . | fromYaml -}}
{{- if $context.spec.enabled -}}
{{- $_ := set $context "root" $root -}}
{{- $parts := list -}}
{{- range list "lib.account" "lib.rights" "lib.files" "lib.services" "lib.networkPolicy" "lib.workload" "lib.disruption" "lib.scaling" "lib.monitor" -}}
{{- $text := include . $context | trim -}}
{{- if $text -}}
{{- $parts = append $parts $text -}}
{{- end -}}
{{- end -}}
{{- $parts | join "\n---\n" }}
{{ end -}}
{{- end -}}

{{- /* A component's name, its definition and its values over the defaults: (root, name). */ -}}
{{- define "lib.context" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $values := index $root.Values (include "lib.key" $name) | default dict -}}
name: {{ $name }}
spec:
  {{- include "lib.definition" . | nindent 2 }}
values:
  {{- mergeOverwrite (deepCopy $root.Values.defaults) (deepCopy $values) | toYaml | nindent 2 }}
{{- end -}}

{{- /* The definition; one that is no YAML is named: (root, name). */ -}}
{{- define "lib.definition" -}}
{{- $text := include (printf "component.%s" (index . 1)) (index . 0) -}}
{{- $parsed := fromYaml $text -}}
{{- if hasKey $parsed "Error" -}}
{{- fail (printf "templates/%s: %s\n%s" (index . 1) $parsed.Error $text) -}}
{{- end -}}
{{- toYaml $parsed -}}
{{- end -}}

{{- /* Every component that the table of connections names, as a list in YAML. */ -}}
{{- define "lib.names" -}}
{{- omit (include "lib.table" . | fromYaml) "edge" "monitoring" | keys | sortAlpha | toYaml -}}
{{- end -}}

{{- define "lib.table" -}}
{{- .Files.Get "files/connections.yaml" -}}
{{- end -}}
