{{- /* metadata of a component's object: (context, name, annotations, whether it is the workload). */ -}}
{{- define "lib.metadata" -}}
{{- $context := index . 0 -}}
{{- $annotations := deepCopy (index . 2) -}}
{{- $workload := index . 3 -}}
{{- with $context.spec.hook -}}
{{- if or $workload .around -}}
{{- $weight := .weight | default 0 | int -}}
{{- $_ := set $annotations "helm.sh/hook" .events -}}
{{- /* Within one weight hooks start in no promised order (helm/helm#12414): what a Job needs comes before it. */ -}}
{{- $_ := set $annotations "helm.sh/hook-weight" (ternary $weight (sub $weight 1) $workload | toString) -}}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
{{- end -}}
{{- end -}}
name: {{ index . 1 }}
namespace: {{ $context.root.Release.Namespace }}
labels:
  {{- include "lib.labels" (list $context.root $context.name) | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "lib.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) (.values.serviceAccountAnnotations | default dict) false) | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{- /* A Role with exactly what the component does. */ -}}
{{- define "lib.rights" -}}
{{- if .spec.rules -}}
{{- $name := include "lib.fullname" (list .root .name) -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "lib.metadata" (list . $name dict false) | nindent 2 }}
rules:
  {{- toYaml .spec.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "lib.metadata" (list . $name dict false) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
{{- end -}}

{{- define "lib.files" -}}
{{- if .spec.files -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "lib.metadata" (list . (include "lib.fullname" (list .root .name)) dict false) | nindent 2 }}
data:
  {{- toYaml .spec.files | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "lib.services" -}}
{{- $context := . -}}
{{- $parts := list -}}
{{- range .spec.services -}}
{{- $parts = append $parts (include "lib.service" (list $context .)) -}}
{{- end -}}
{{- $parts | join "\n---\n" -}}
{{- end -}}

{{- define "lib.service" -}}
{{- $context := index . 0 -}}
{{- $service := index . 1 -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "lib.metadata" (list $context (printf "%s%s" (include "lib.fullname" (list $context.root $context.name)) ($service.suffix | default "")) dict false) | nindent 2 }}
spec:
  type: ClusterIP
  {{- if $service.headless }}
  clusterIP: None
  {{- /*
  A name that is never empty while there are pods. gRPC asks for a name that it did not find after 1 s, then ever later, up to
  two minutes, and no option shortens that: after half a minute away a peer was found 13 s late, so 0.5 s. An address that
  refuses costs no call, for the others are taken: a pod that starts or drains refuses, one that waits in preStop serves.
  NATS's servers look for each other before they are ready.
  */}}
  publishNotReadyAddresses: true
  {{- end }}
  selector:
    {{- include "lib.selector" (list $context.root $context.name) | nindent 4 }}
  ports:
    {{- range $service.ports }}
    - name: {{ . }}
      port: {{ index $context.spec.ports . }}
      targetPort: {{ . }}
      protocol: TCP
      {{- if eq . "grpc" }}
      appProtocol: kubernetes.io/h2c
      {{- end }}
    {{- end }}
{{- end -}}
