{{/* Names, labels, images, and what every pod of ours has. Each takes the root context, or a dict with "root". */}}

{{- define "fanfare.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc 32 | trimSuffix "-") .Chart.Name -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change, for selectors: dict root, component. */}}
{{- define "fanfare.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of objects: dict root, component. Not of pods, which would be replaced with each version of the chart. */}}
{{- define "fanfare.labels" -}}
{{ include "fanfare.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: fanfare
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* name, namespace and labels of an object: dict root, component, and suffix where it isn't the component. */}}
{{- define "fanfare.metadata" -}}
name: {{ include "fanfare.fullname" .root }}-{{ .suffix | default .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "fanfare.labels" . | nindent 2 }}
{{- end -}}

{{/* An image of ours: dict root, suffix, override. A digest wins over a tag. */}}
{{- define "fanfare.image" -}}
{{- $image := .root.Values.image -}}
{{- $given := .override | default dict -}}
{{- $repository := $given.repository | default (printf "%s/%s-%s" $image.registry $image.repository .suffix | trimPrefix "/") -}}
{{- if $given.digest -}}
{{- printf "%s@%s" $repository $given.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository ($given.tag | default $image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* An image of a datastore. A digest wins over a tag. */}}
{{- define "fanfare.storeImage" -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag }}{{- end -}}
{{- end -}}

{{/* Pod Security "restricted" for a pod: the user that it runs as. */}}
{{- define "fanfare.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Pod Security "restricted" for a container, and more: nothing is written outside of volumes. */}}
{{- define "fanfare.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ not .writableRoot }}
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every pod has beside containers and volumes: nobody here talks to the API server. */}}
{{- define "fanfare.podBasics" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A pod template with what the user merges into it: dict template, with (a list of maps; the last wins). */}}
{{- define "fanfare.mergedPod" -}}
{{- $pod := fromYaml .template -}}
{{- range .with -}}
{{- $pod = mergeOverwrite $pod (deepCopy .) -}}
{{- end -}}
{{- toYaml $pod -}}
{{- end -}}

{{/* Spread over nodes and zones, as far as there are several: selector labels as YAML. */}}
{{- define "fanfare.spread" -}}
{{- $selector := . -}}
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ . }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- $selector | nindent 6 }}
{{- end }}
{{- end -}}

{{/* A setting as text: Helm reads 1000000 in a file as 1e+06. */}}
{{- define "fanfare.text" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* Fails unless the cluster has an API: dict root, api, setting, advice. */}}
{{- define "fanfare.needsApi" -}}
{{- if not (.root.Capabilities.APIVersions.Has .api) -}}
{{- fail (printf "%s needs the API %s, which this cluster does not have: %s. Without a cluster (helm template) say --api-versions %s." .setting .api .advice .api) -}}
{{- end -}}
{{- end -}}
