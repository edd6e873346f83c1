{{/*
One Deployment of ours with its disruption budget and autoscaler: dict root, name, component (its row
in the table).

No preStop hook: at SIGTERM a process says "not ready", goes on serving while endpoints propagate
(DRAIN_MS, 5 s), tells its clients to come back spread over up to 15 s, flushes what it publishes, and
ends by force after 50 s. The grace period is longer than all of it.
*/}}
{{- define "fanfare.workload" -}}
{{- $root := .root -}}
{{- $values := index $root.Values .component.values -}}
{{- $labels := include "fanfare.selectorLabels" (dict "root" $root "component" .name) -}}
{{- $scope := dict "root" $root "name" .name "component" .component "values" $values "labels" $labels -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "fanfare.metadata" (dict "root" $root "component" .name) | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      # A new pod is ready before an old one goes.
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      {{- $labels | nindent 6 }}
  template:
    {{- include "fanfare.mergedPod" (dict "template" (include "fanfare.workloadPod" $scope) "with" (list $root.Values.podTemplate $values.podTemplate)) | nindent 4 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "fanfare.metadata" (dict "root" $root "component" .name) | nindent 2 }}
spec:
  maxUnavailable: 1
  # A pod that can't become ready serves nobody, and must not hold up a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- $labels | nindent 6 }}
{{- if $values.autoscaling.enabled }}
---
{{ include "fanfare.autoscaler" $scope }}
{{- end }}
{{- end -}}

{{- define "fanfare.workloadPod" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $files := include "fanfare.secretFiles" . | fromYamlArray -}}
metadata:
  labels:
    {{- .labels | nindent 4 }}
  {{- with include "fanfare.secretChecksum" (dict "root" $root "keys" (include "fanfare.workloadSecretKeys" . | fromYamlArray)) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  {{- include "fanfare.podBasics" $root | nindent 2 }}
  terminationGracePeriodSeconds: 60
  securityContext:
    {{- include "fanfare.podSecurity" 10001 | nindent 4 }}
  topologySpreadConstraints:
    {{- include "fanfare.spread" .labels | nindent 4 }}
  {{- with $values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ include "fanfare.image" (dict "root" $root "suffix" .component.image "override" $values.image) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- with include "fanfare.workloadArgs" . }}
      args:
        {{- . | nindent 8 }}
      {{- end }}
      env:
        {{- include "fanfare.envList" (dict "map" (include "fanfare.environment" . | fromYaml) "more" $values.env) | nindent 8 }}
      ports:
        {{- with .component.port }}
        - name: {{ $.component.protocol }}
          containerPort: {{ . }}
        {{- end }}
        - name: admin
          containerPort: {{ include "fanfare.adminPort" $root }}
      {{- include "fanfare.probes" . | nindent 6 }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- include "fanfare.containerSecurity" (dict "writableRoot" $root.Values.development.writableRoot) | nindent 8 }}
      {{- if or $files $values.extraVolumeMounts }}
      volumeMounts:
        {{- range $files }}
        - name: {{ .name }}
          mountPath: {{ .path }}
          readOnly: true
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
    {{- with $values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or $files $values.extraVolumes }}
  volumes:
    {{- include "fanfare.secretVolumes" $files | nindent 4 }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* Readable by the group only; a whole Secret, so that Kubernetes swaps its files when it changes. */}}
{{- define "fanfare.secretVolumes" -}}
{{- range . }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    {{- if .key }}
    items:
      - {key: {{ .key }}, path: {{ .key }}}
    {{- end }}
{{- end }}
{{- end -}}

{{/* An image starts its own service; only what differs is said. */}}
{{- define "fanfare.workloadArgs" -}}
{{- $envFile := .root.Values.secrets.envFile -}}
{{- if or .component.ownMain $envFile -}}
{{- if $envFile }}
- --env-file={{ $envFile }}
{{- end }}
- {{ .component.main }}
{{- end -}}
{{- end -}}

{{/* Plain HTTP on the admin port, with mTLS too. Only a loop that stands still is a reason to restart. */}}
{{- define "fanfare.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}
