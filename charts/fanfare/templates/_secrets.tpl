{{/*
The chart's own secrets. In this order: secrets.existingSecret is used and nothing is made; what the
release's Secret holds is kept, byte for byte; else a key is derived from secrets.seed; else it is drawn,
but only where a cluster answers, as otherwise each rendering (GitOps!) would draw anew.
*/}}

{{- define "fanfare.secretName" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-secrets" (include "fanfare.fullname" .)) -}}
{{- end -}}

{{/* Keys that this release needs: the datastores that it brings along have a password each. */}}
{{- define "fanfare.secretKeys" -}}
{{- if not .Values.secrets.envFile }}
- token-secret
{{- end }}
{{- range list "nats" "redis" "postgresql" }}
{{- if (index $.Values .).enabled }}
- {{ . }}-password
{{- end }}
{{- end }}
{{- end -}}

{{/* "true" where lookups are answered. A namespace that is still to be made has no ConfigMap yet. */}}
{{- define "fanfare.hasCluster" -}}
{{- if lookup "v1" "ConfigMap" .Release.Namespace "kube-root-ca.crt" -}}true
{{- else if lookup "v1" "Namespace" "" "default" -}}true
{{- end -}}
{{- end -}}

{{/* The data of the release's Secret. Made once for a rendering: a second draw would differ. */}}
{{- define "fanfare.secretData" -}}
{{- if not (hasKey .Values.secrets "made") -}}
{{- $_ := set .Values.secrets "made" (include "fanfare.makeSecretData" .) -}}
{{- end -}}
{{- .Values.secrets.made -}}
{{- end -}}

{{- define "fanfare.makeSecretData" -}}
{{- $name := include "fanfare.secretName" . -}}
{{- $kept := dig "data" dict (lookup "v1" "Secret" .Release.Namespace $name) -}}
{{- range include "fanfare.secretKeys" . | fromYamlArray }}
{{- if hasKey $kept . }}
{{ . }}: {{ index $kept . }}
{{- else if $.Values.secrets.seed }}
{{ . }}: {{ printf "%s/%s/%s/%s" $.Values.secrets.seed $.Release.Namespace $name . | sha256sum | b64enc }}
{{- else if include "fanfare.hasCluster" $ }}
{{ . }}: {{ randAlphaNum 48 | b64enc }}
{{- else }}
{{- fail "there is no cluster here that could keep generated secrets: give secrets.existingSecret (GitOps: made by External Secrets, Sealed Secrets or by hand), or secrets.seed, at least 32 random characters from which they are derived" }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Annotation that replaces pods when a secret of theirs changes: dict root, keys. Nobody can tell for a
Secret of the user.
*/}}
{{- define "fanfare.secretChecksum" -}}
{{- if not .root.Values.secrets.existingSecret -}}
{{- $data := include "fanfare.secretData" .root | fromYaml -}}
{{- $values := list -}}
{{- range .keys }}{{ $values = append $values (get $data .) }}{{ end -}}
checksum/secrets: {{ join "," $values | sha256sum }}
{{- end -}}
{{- end -}}

{{/* Keys of the Secret that a workload reads: dict root, component. */}}
{{- define "fanfare.workloadSecretKeys" -}}
{{- $root := .root -}}
- token-secret
{{- range .component.stores }}
{{- if (index $root.Values .).enabled }}
- {{ . }}-password
{{- end }}
{{- end }}
{{- end -}}
