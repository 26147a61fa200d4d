{{- /* Autoscaling by CPU, or by the age of the oldest work that waits. */ -}}
{{- define "lib.scaling" -}}
{{- if dig "autoscaling" "enabled" false .values -}}
{{- if eq (dig "autoscaling" "by" "cpu" .values) "queueAge" -}}
{{- include (ternary "lib.scaledObject" "lib.horizontalByAge" (eq .values.autoscaling.with "keda")) . -}}
{{- else -}}
{{- include "lib.horizontalByCpu" . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "lib.horizontal" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict false) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "lib.fullname" (list .root .name) }}
  minReplicas: {{ .values.autoscaling.minReplicas }}
  maxReplicas: {{ .values.autoscaling.maxReplicas }}
  behavior:
    scaleDown:
      # A conversation comes in waves: what was needed a moment ago will be needed again.
      stabilizationWindowSeconds: 300
{{- end -}}

{{- define "lib.horizontalByCpu" -}}
{{ include "lib.horizontal" . }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .values.autoscaling.cpuPercent }}
{{- end -}}

{{- define "lib.horizontalByAge" -}}
{{ include "lib.horizontal" . }}
  metrics:
    - type: External
      external:
        metric:
          name: coaching_backlog_oldest_seconds
          selector:
            matchLabels:
              kind: {{ .spec.backlog }}
        target:
          # As many pods as this age fits into that of the oldest turn.
          type: AverageValue
          averageValue: {{ .values.autoscaling.queueAgeSeconds | quote }}
{{- end -}}

{{- define "lib.scaledObject" -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict false) | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ include "lib.fullname" (list .root .name) }}
  minReplicaCount: {{ .values.autoscaling.minReplicas }}
  maxReplicaCount: {{ .values.autoscaling.maxReplicas }}
  # Without an answer from Prometheus there are as many as at the least, not none and not the most.
  fallback:
    failureThreshold: 3
    replicas: {{ .values.autoscaling.minReplicas }}
  triggers:
    - type: prometheus
      # KEDA's fallback takes no other.
      metricType: AverageValue
      metadata:
        serverAddress: {{ .root.Values.monitoring.prometheusUrl }}
        query: max(coaching_backlog_oldest_seconds{namespace="{{ .root.Release.Namespace }}",kind="{{ .spec.backlog }}"})
        threshold: {{ .values.autoscaling.queueAgeSeconds | quote }}
{{- end -}}
