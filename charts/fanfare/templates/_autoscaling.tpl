{{/*
The autoscaler of a workload: KEDA's ScaledObject where autoscaling.lag is on, else a
HorizontalPodAutoscaler. dict root, name, values.
*/}}
{{- define "fanfare.autoscaler" -}}
{{- if dig "lag" "enabled" false .values.autoscaling -}}
{{- include "fanfare.scaledObject" . -}}
{{- else -}}
{{- include "fanfare.horizontalPodAutoscaler" . -}}
{{- end -}}
{{- end -}}

{{- define "fanfare.horizontalPodAutoscaler" -}}
{{- $autoscaling := .values.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "fanfare.metadata" (dict "root" .root "component" .name) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "fanfare.fullname" .root }}-{{ .name }}
  minReplicas: {{ $autoscaling.minReplicas }}
  maxReplicas: {{ $autoscaling.maxReplicas }}
  metrics:
    {{- if dig "sockets" "enabled" false $autoscaling }}
    # Scales up alone; where nobody serves this metric, CPU still scales up.
    - type: Pods
      pods:
        metric:
          name: quiz_ws_connections
        target:
          type: AverageValue
          averageValue: {{ $autoscaling.sockets.perPod | quote }}
    {{- end }}
    - type: ContainerResource
      containerResource:
        name: cpu
        container: {{ .name }}
        target:
          type: Utilization
          averageUtilization: {{ $autoscaling.cpuPercent }}
  behavior:
    {{- include "fanfare.scalingBehavior" . | nindent 4 }}
{{- end -}}

{{/* Up at once, as a quiz fills within a minute; down a pod at a time, as each one sends its players away. */}}
{{- define "fanfare.scalingBehavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - {type: Percent, value: 100, periodSeconds: 15}
    - {type: Pods, value: 2, periodSeconds: 15}
  selectPolicy: Max
scaleDown:
  stabilizationWindowSeconds: {{ .values.autoscaling.scaleDownSeconds }}
  policies:
    - {type: Pods, value: 1, periodSeconds: {{ .values.autoscaling.scaleDownSeconds }}}
{{- end -}}

{{/* The readers are ordered consumers that come and go, so their lag is in our metrics, not in a consumer's state. */}}
{{- define "fanfare.scaledObject" -}}
{{- include "fanfare.needsApi" (dict "root" .root "api" "keda.sh/v1alpha1" "setting" (printf "%s.autoscaling.lag" .name) "advice" "install KEDA, or scale by CPU alone") -}}
{{- $autoscaling := .values.autoscaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "fanfare.metadata" (dict "root" .root "component" .name) | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ include "fanfare.fullname" .root }}-{{ .name }}
  minReplicaCount: {{ $autoscaling.minReplicas }}
  maxReplicaCount: {{ $autoscaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- include "fanfare.scalingBehavior" . | nindent 8 }}
  triggers:
    - type: prometheus
      metadata:
        serverAddress: {{ $autoscaling.lag.prometheusUrl | quote }}
        query: {{ $autoscaling.lag.query | default (printf "sum(quiz_event_consumer_lag{namespace=%q,component=%q})" .root.Release.Namespace .name) | quote }}
        threshold: {{ $autoscaling.lag.perPod | quote }}
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ $autoscaling.cpuPercent | quote }}
{{- end -}}
