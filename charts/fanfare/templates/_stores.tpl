{{/* What the bundled datastores share. */}}

{{/* The claim of a datastore's volume "data": dict root, store, component. */}}
{{- define "fanfare.volumeClaim" -}}
{{- $persistence := .store.persistence -}}
{{- if $persistence.enabled -}}
volumeClaimTemplates:
  - metadata:
      name: data
      labels:
        {{- include "fanfare.selectorLabels" (dict "root" .root "component" .component) | nindent 8 }}
    spec:
      accessModes: [ReadWriteOnce]
      {{- with $persistence.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ $persistence.size }}
{{- end -}}
{{- end -}}

{{/* In place of that volume: one that goes with the pod. */}}
{{- define "fanfare.volatileData" -}}
{{- if not .persistence.enabled -}}
- name: data
  emptyDir: {sizeLimit: {{ .persistence.size }}}
{{- end -}}
{{- end -}}
