{{- /* Every problem of the values at once, in plain words. What has a wrong type or name is refused by the schema before. */ -}}
{{- define "lib.refuse" -}}
{{- $problems := include "lib.problems" . | fromYamlArray -}}
{{- if $problems -}}
{{- fail (printf "\n\nThe values cannot be used:\n\n  - %s\n\nEach is explained in values.yaml and in docs/operations/configure.md.\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}

{{- define "lib.problems" -}}
{{- $root := . -}}
{{- $problems := include "lib.platformProblems" . | fromYamlArray -}}
{{- range $name := include "lib.names" . | fromYamlArray -}}
{{- $context := include "lib.context" (list $root $name) | fromYaml -}}
{{- $_ := set $context "root" $root -}}
{{- if $context.spec.enabled -}}
{{- $problems = concat $problems ($context.spec.problems | default list) (include "lib.commonProblems" $context | fromYamlArray) -}}
{{- end -}}
{{- end -}}
{{- $problems | uniq | toYaml -}}
{{- end -}}

{{- /* What can be wrong with any component. */ -}}
{{- define "lib.commonProblems" -}}
{{- $key := include "lib.key" .name -}}
{{- $own := keys (.spec.env | default dict) (.spec.secrets | default dict) (dict "BIND_HOST" "" "HTTP_PORT" "" "GRPC_PORT" "") -}}
{{- range $.spec.foreignSecrets }}{{ $own = append $own .name }}{{ end -}}
{{- $problems := list -}}
{{- range $name, $_ := .values.settings -}}
{{- if has $name $own -}}
{{- $problems = append $problems (printf "%s.settings.%s: the chart sets this itself, from values of its own; remove it here." $key $name) -}}
{{- else if regexMatch "(PASSWORD|SECRET|TOKEN|API_KEY|PRIVATE_KEY|ACCESS_KEY)" $name -}}
{{- $problems = append $problems (printf "%s.settings.%s: a secret does not belong in values, which anybody who may read the release sees; put it into a Secret." $key $name) -}}
{{- end -}}
{{- end -}}
{{- with .values.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $problems = append $problems (printf "%s.autoscaling: minReplicas %v is more than maxReplicas %v." $key .minReplicas .maxReplicas) -}}
{{- end -}}
{{- if and .enabled (eq (dig "by" "cpu" .) "queueAge") (eq .with "keda") -}}
{{- if not ($.root.Capabilities.APIVersions.Has "keda.sh/v1alpha1") -}}
{{- $problems = append $problems (printf "%s.autoscaling.with: this cluster has no KEDA (keda.sh/v1alpha1); install it, or scale by cpu." $key) -}}
{{- end -}}
{{- if not $.root.Values.monitoring.prometheusUrl -}}
{{- $problems = append $problems (printf "%s.autoscaling.with: KEDA asks Prometheus; say where it is in monitoring.prometheusUrl." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $problems | toYaml -}}
{{- end -}}

{{- /* What concerns more than one component. */ -}}
{{- define "lib.platformProblems" -}}
{{- $v := .Values -}}
{{- $has := .Capabilities.APIVersions -}}
{{- $problems := list -}}
{{- if gt (len .Release.Name) 30 -}}
{{- $problems = append $problems (printf "The release's name has %d characters; 30 is the most, since objects are named after it and Kubernetes bounds their names." (len .Release.Name)) -}}
{{- end -}}
{{- if and (eq $v.environment "production") (not $v.global.image.registry) (not $v.global.image.references) -}}
{{- $problems = append $problems "global.image.registry: say which registry holds the platform's images; `make images PUSH=registry.example.org` fills one." -}}
{{- end -}}
{{- if and (ne $v.environment "development") $v.publicUrl (not (hasPrefix "https://" $v.publicUrl)) -}}
{{- $problems = append $problems (printf "publicUrl: %s must begin with https:// in %s, or what people write travels readable." $v.publicUrl $v.environment) -}}
{{- end -}}
{{- if and $v.ingress.enabled $v.gatewayApi.enabled -}}
{{- $problems = append $problems "ingress.enabled, gatewayApi.enabled: two ways in; switch one of them off." -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
{{- $problems = append $problems "ingress.host: name the host that people use, such as coach.example.org." -}}
{{- end -}}
{{- if and $v.ingress.enabled $v.ingress.tls.enabled (not $v.ingress.tls.secretName) -}}
{{- $problems = append $problems "ingress.tls.secretName: name the Secret with the certificate, or the one that cert-manager shall write." -}}
{{- end -}}
{{- if and $v.ingress.enabled (eq $v.environment "production") (not $v.ingress.tls.enabled) -}}
{{- $problems = append $problems "ingress.tls.enabled: production is not served without TLS." -}}
{{- end -}}
{{- if and $v.gatewayApi.enabled (or (not $v.gatewayApi.hosts) (not $v.gatewayApi.parentRefs)) -}}
{{- $problems = append $problems "gatewayApi.hosts, gatewayApi.parentRefs: name the host that people use and the Gateway that listens for it." -}}
{{- end -}}
{{- if and $v.gatewayApi.enabled (not ($has.Has "gateway.networking.k8s.io/v1")) -}}
{{- $problems = append $problems "gatewayApi.enabled: this cluster has no Gateway API (gateway.networking.k8s.io/v1); install it, or use ingress." -}}
{{- end -}}
{{- if and $v.monitoring.serviceMonitor.enabled (not ($has.Has "monitoring.coreos.com/v1")) -}}
{{- $problems = append $problems "monitoring.serviceMonitor.enabled: this cluster has no Prometheus Operator (monitoring.coreos.com/v1); install it, or switch this off." -}}
{{- end -}}
{{- if and $v.monitoring.serviceMonitor.enabled $v.networkPolicies.enabled (not $v.networkPolicies.monitoring) -}}
{{- $problems = append $problems "networkPolicies.monitoring: nobody may read metrics, so that the monitors would never reach a pod; say where Prometheus is, or switch monitoring.serviceMonitor.enabled off." -}}
{{- end -}}
{{- if and $v.secrets.externalSecret.enabled (not ($has.Has "external-secrets.io/v1")) -}}
{{- $problems = append $problems "secrets.externalSecret.enabled: this cluster has no External Secrets Operator (external-secrets.io/v1); install it, or use secrets.existingSecret." -}}
{{- end -}}
{{- if and $v.secrets.externalSecret.enabled (or (not $v.secrets.externalSecret.store.name) (not $v.secrets.externalSecret.remoteKey)) -}}
{{- $problems = append $problems "secrets.externalSecret: store.name and remoteKey say where the secrets are; both are needed." -}}
{{- end -}}
{{- if and $v.secrets.externalSecret.enabled $v.secrets.existingSecret -}}
{{- $problems = append $problems "secrets.existingSecret, secrets.externalSecret.enabled: the secrets come from one place; remove one of them." -}}
{{- end -}}
{{- $given := or $v.secrets.existingSecret $v.secrets.externalSecret.enabled -}}
{{- range $store := list "postgresql" "nats" "redis" "chroma" -}}
{{- $external := (index $v $store).external -}}
{{- if $external.enabled -}}
{{- if not $external.host -}}
{{- $problems = append $problems (printf "%s.external.host: name the server to use, or set %s.external.enabled to false for the bundled one." $store $store) -}}
{{- end -}}
{{- if and (not $given) (or (ne $store "chroma") $external.username) -}}
{{- $problems = append $problems (printf "%s.external: its password cannot be made up; put it into a Secret and name that in secrets.existingSecret (or use secrets.externalSecret)." $store) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $problems | toYaml -}}
{{- end -}}

{{- /* Connections that services may open to the database at once, a rolling update included. */ -}}
{{- define "lib.databaseConnections" -}}
{{- $v := .Values -}}
{{- $most := 0 -}}
{{- range list $v.coaching $v.channelAdapter -}}
{{- $pods := add1 (ternary (dig "autoscaling" "maxReplicas" 1 .) .replicas (dig "autoscaling" "enabled" false .) | int) -}}
{{- $most = add $most (mul $pods (add .databasePool.size .databasePool.overflow)) -}}
{{- end -}}
{{- $most -}}
{{- end -}}
