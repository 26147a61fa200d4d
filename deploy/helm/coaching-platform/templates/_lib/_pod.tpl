{{- /* The pod of a component: metadata and spec. */ -}}
{{- define "lib.pod" -}}
{{- $annotations := deepCopy .values.podAnnotations -}}
{{- with .spec.files -}}
{{- $_ := set $annotations "checksum/files" (toYaml . | sha256sum | trunc 16) -}}
{{- end -}}
{{- if and .spec.secrets .root.Values.secrets.revision -}}
{{- $_ := set $annotations "coaching-platform/secrets-revision" (include "lib.text" .root.Values.secrets.revision) -}}
{{- end -}}
{{- $long := has .spec.kind (list "Deployment" "StatefulSet") -}}
metadata:
  labels:
    {{- mergeOverwrite (deepCopy .values.podLabels) (include "lib.selector" (list .root .name) | fromYaml) | toYaml | nindent 4 }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "lib.fullname" (list .root .name) }}
  automountServiceAccountToken: {{ not (empty .spec.rules) }}
  enableServiceLinks: false
  {{- with .root.Values.global.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  restartPolicy: {{ ternary "Always" "Never" $long }}
  terminationGracePeriodSeconds: {{ .spec.graceSeconds | default (include "lib.graceSeconds" .) }}
  securityContext:
    runAsNonRoot: true
    fsGroup: {{ .spec.group | default .spec.user | default 10001 | int64 }}
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if $long }}
  {{- with .values.topologySpread }}
  topologySpreadConstraints:
    {{- range . }}
    - topologyKey: {{ .topologyKey }}
      maxSkew: {{ .maxSkew }}
      whenUnsatisfiable: {{ .whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- include "lib.selector" (list $.root $.name) | nindent 10 }}
      {{- if eq $.spec.kind "Deployment" }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- end }}
  {{- end }}
  {{- with include "lib.affinity" . | fromYaml }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $tolerations := .values.tolerations }}
  {{- if and $long .values.lostNodeSeconds }}
  {{- range list "not-ready" "unreachable" }}
  {{- $tolerations = append $tolerations (dict "key" (printf "node.kubernetes.io/%s" .) "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" $.values.lostNodeSeconds) }}
  {{- end }}
  {{- end }}
  {{- with $tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .spec.init }}
  initContainers:
    {{- range . }}
    - {{ include "lib.initContainer" (list $ .) | indent 6 | trim }}
    {{- end }}
  {{- end }}
  containers:
    - {{ include "lib.mainContainer" . | indent 6 | trim }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .values.tmpSize }}
    {{- if .spec.files }}
    - name: files
      configMap:
        name: {{ include "lib.fullname" (list .root .name) }}
    {{- end }}
    {{- range .spec.folders }}
    - name: {{ .name }}
      emptyDir:
        sizeLimit: {{ .size }}
        {{- with .medium }}
        medium: {{ . }}
        {{- end }}
    {{- end }}
    {{- with .spec.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- /* The operator's, and of a component of oneNode beside its own pods. (The first one may go anywhere: it is its own company.) */ -}}
{{- define "lib.affinity" -}}
{{- $affinity := deepCopy .values.affinity -}}
{{- if .spec.oneNode -}}
{{- $beside := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" (include "lib.selector" (list .root .name) | fromYaml)) -}}
{{- $key := "requiredDuringSchedulingIgnoredDuringExecution" -}}
{{- $pods := deepCopy ($affinity.podAffinity | default dict) -}}
{{- $_ := set $pods $key (append (index $pods $key | default list) $beside) -}}
{{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- toYaml $affinity -}}
{{- end -}}

{{- /* Time to stop: the wait before it, the drain, what is cut off after it and what is closed then (kit.process). */ -}}
{{- define "lib.graceSeconds" -}}
{{- add .values.preStopSeconds (mul 2 (add .values.drainSeconds 5)) 10 -}}
{{- end -}}
