{{- define "lib.workload" -}}
{{- include (printf "lib.%s" (eq .spec.kind "Pod" | ternary "single" (lower .spec.kind))) . -}}
{{- end -}}

{{- define "lib.replicas" -}}
{{- if .spec.single }}1{{ else }}{{ .values.replicas }}{{ end -}}
{{- end -}}

{{- define "lib.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict true) | nindent 2 }}
spec:
  {{- if not (dig "autoscaling" "enabled" false .values) }}
  replicas: {{ include "lib.replicas" . }}
  {{- end }}
  revisionHistoryLimit: 3
  progressDeadlineSeconds: 600
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "lib.selector" (list .root .name) | nindent 6 }}
  template:
    {{- include "lib.pod" . | nindent 4 }}
{{- end -}}

{{- define "lib.statefulset" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict true) | nindent 2 }}
spec:
  serviceName: {{ include "lib.fullname" (list .root .name) }}{{ (first .spec.services).suffix }}
  replicas: {{ include "lib.replicas" . }}
  revisionHistoryLimit: 3
  podManagementPolicy: Parallel
  updateStrategy:
    type: RollingUpdate
  # What was kept here outlives the release: `helm uninstall` leaves the claims.
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: Retain
    whenScaled: Retain
  selector:
    matchLabels:
      {{- include "lib.selector" (list .root .name) | nindent 6 }}
  template:
    {{- include "lib.pod" . | nindent 4 }}
  volumeClaimTemplates:
    {{- range .spec.claims }}
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: {{ .name }}
        labels:
          {{- include "lib.selector" (list $.root $.name) | nindent 10 }}
      spec:
        {{- include "lib.claimSpec" .values | nindent 8 }}
    {{- end }}
{{- end -}}

{{- define "lib.claimSpec" -}}
accessModes: [{{ .accessMode | default "ReadWriteOnce" }}]
{{- with .storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end -}}

{{- /* A claim of its own that outlives the release: (root, component, name, its values). */ -}}
{{- define "lib.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "lib.fullname" (list (index . 0) (index . 2)) }}
  namespace: {{ (index . 0).Release.Namespace }}
  labels:
    {{- include "lib.labels" (list (index . 0) (index . 1)) | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  {{- include "lib.claimSpec" (index . 3) | nindent 2 }}
{{- end -}}

{{- define "lib.job" -}}
{{- $pod := include "lib.pod" . -}}
{{- $name := include "lib.fullname" (list .root .name) -}}
{{- /* Jobs cannot be changed: a different one has a different name. Helm removes the hooks' before it makes them anew. */ -}}
{{- if not .spec.hook -}}
{{- $name = printf "%s-%s" $name ($pod | sha256sum | trunc 8) -}}
{{- end -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "lib.metadata" (list . $name dict true) | nindent 2 }}
spec:
  backoffLimit: {{ .spec.retries | default 0 }}
  activeDeadlineSeconds: {{ .spec.deadlineSeconds }}
  # A pod that was moved from its node has not failed.
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: "True"
  template:
    {{- $pod | nindent 4 }}
{{- end -}}

{{- define "lib.single" -}}
apiVersion: v1
kind: Pod
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict true) | nindent 2 }}
{{ (include "lib.pod" . | fromYaml).spec | dict "spec" | toYaml }}
{{- end -}}

{{- define "lib.disruption" -}}
{{- if has .spec.kind (list "Deployment" "StatefulSet") -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict false) | nindent 2 }}
spec:
  maxUnavailable: 1
  # A pod that does not work protects nobody, and must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "lib.selector" (list .root .name) | nindent 6 }}
{{- end -}}
{{- end -}}

{{- define "lib.monitor" -}}
{{- if and .spec.metrics .root.Values.monitoring.serviceMonitor.enabled -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "lib.fullname" (list .root .name) }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- mergeOverwrite (include "lib.labels" (list .root .name) | fromYaml) .root.Values.monitoring.serviceMonitor.labels | toYaml | nindent 4 }}
spec:
  selector:
    matchLabels:
      {{- include "lib.selector" (list .root .name) | nindent 6 }}
  endpoints:
    - port: http
      path: /metrics
      interval: {{ .root.Values.monitoring.serviceMonitor.interval }}
{{- end -}}
{{- end -}}
