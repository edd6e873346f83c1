{{/*
The environment of a workload as a YAML map, name → value or source; the names are those of the
services' config.ts. A map, so that what the user sets wins without a name standing twice.
*/}}

{{/* dict root, name (of the component), component (its row in the table), values. */}}
{{- define "fanfare.environment" -}}
{{- $root := .root -}}
{{- $components := include "fanfare.components" $root | fromYaml -}}
POD_NAME: {fieldRef: {fieldPath: metadata.name}}
LOG_LEVEL: {{ $root.Values.logLevel }}
ADMIN_PORT: {{ include "fanfare.adminPort" $root | quote }}
{{- with .component.port }}
{{ if eq $.component.protocol "http" }}HTTP_PORT{{ else }}GRPC_PORT{{ end }}: {{ . | quote }}
{{- end }}
{{- if not $root.Values.secrets.envFile }}
TOKEN_SECRET: {secretKeyRef: {name: {{ include "fanfare.secretName" $root }}, key: token-secret}}
{{- end }}
{{- range .component.calls }}
{{- $callee := index $components . }}
{{ $callee.url }}: "{{ include "fanfare.fullname" $root }}-{{ . }}:{{ $callee.port }}"
{{- end }}
{{- range .component.stores }}
{{ include (printf "fanfare.environment.%s" .) $root }}
{{- end }}
{{- include "fanfare.environment.lifetimes" . }}
{{- if and $root.Values.tls.enabled (eq (include "fanfare.speaksGrpc" .) "true") }}
GRPC_CERT_FILE: /etc/fanfare/tls/tls.crt
GRPC_KEY_FILE: /etc/fanfare/tls/tls.key
GRPC_CA_FILE: /etc/fanfare/tls/ca.crt
{{- end }}
{{- with $root.Values.tracing }}
{{- if .endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
OTEL_TRACES_SAMPLER: parentbased_traceidratio
OTEL_TRACES_SAMPLER_ARG: {{ .ratio | quote }}
OTEL_SERVICE_NAME: fanfare-{{ $.name }}
OTEL_RESOURCE_ATTRIBUTES: "service.version={{ $root.Chart.AppVersion }},k8s.namespace.name={{ $root.Release.Namespace }}"
{{- end }}
{{- end }}
{{- end -}}

{{/* Lives and sizes; those of streams are the same for all, as each makes the streams. */}}
{{- define "fanfare.environment.lifetimes" -}}
{{- $name := .name -}}
{{- $stores := .component.stores -}}
{{- with .root.Values.lifetimes }}
{{- if has "nats" $stores }}
NATS_BOARDS_AGE_S: {{ .lastBoardSeconds | int64 | quote }}
NATS_BOARDS_BYTES_MAX: {{ .lastBoardsBytes | int64 | quote }}
NATS_DEAD_LETTERS_AGE_S: {{ .deadLetterSeconds | int64 | quote }}
NATS_DEAD_LETTERS_BYTES_MAX: {{ .deadLettersBytes | int64 | quote }}
{{- end }}
{{- if eq $name "quiz" }}
SESSION_IDLE_S: {{ .sessionIdleSeconds | int64 | quote }}
{{- else if eq $name "history" }}
SILENT_SESSION_S: {{ .silentSessionSeconds | int64 | quote }}
PURGE_AFTER_S: {{ .logSeconds | int64 | quote }}
{{- else if eq $name "leaderboard" }}
BOARD_TTL_S: {{ .boardSeconds | int64 | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Whether a component takes or makes gRPC calls: the history writer does not. */}}
{{- define "fanfare.speaksGrpc" -}}
{{- if or .component.url .component.calls -}}true{{- else -}}false{{- end -}}
{{- end -}}

{{/* Address or secret key, then the other keys of an external datastore: dict prefix, store, external, keys (variable → key). */}}
{{- define "fanfare.environment.external" -}}
{{- if and .external.urlKey .external.existingSecret }}
{{ .prefix }}_URL: {secretKeyRef: {name: {{ .external.existingSecret }}, key: {{ .external.urlKey }}}}
{{- else }}
{{ .prefix }}_URL: {{ required (printf "%s.enabled is false: %s.external.url (or urlKey with existingSecret) must say where it is" .store .store) .external.url | quote }}
{{- end }}
{{- if .external.existingSecret }}
{{- $external := .external }}
{{- range $variable, $key := .keys }}
{{- if $key }}
{{ $variable }}: {secretKeyRef: {name: {{ $external.existingSecret }}, key: {{ $key }}}}
{{- end }}
{{- end }}
{{- end }}
{{- if .external.tls.existingSecret }}
{{ .prefix }}_CA_FILE: /etc/fanfare/{{ lower .prefix }}/ca.crt
{{- if .external.tls.clientCertificate }}
{{ .prefix }}_CERT_FILE: /etc/fanfare/{{ lower .prefix }}/tls.crt
{{ .prefix }}_KEY_FILE: /etc/fanfare/{{ lower .prefix }}/tls.key
{{- end }}
{{- end }}
{{- end -}}

{{/*
Four fifths of NATS' volume for the log, and at least 256 MiB for records, boards and dead letters, so that
what the log refuses when it is full leaves those whole.
*/}}
{{- define "fanfare.natsLogBytes" -}}
{{- $size := .Values.nats.persistence.size -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $bytes := mul (regexFind "^[0-9]+" $size | int64) (index $units (regexFind "[A-Za-z]*$" $size)) -}}
{{- if lt $bytes 536870912 }}{{ fail "nats.persistence.size must be 512Mi or more" }}{{ end -}}
{{- min (div (mul $bytes 4) 5) (sub $bytes 268435456) -}}
{{- end -}}

{{- define "fanfare.environment.nats" -}}
{{- $nats := .Values.nats -}}
{{- if $nats.enabled -}}
NATS_URL: nats://{{ include "fanfare.fullname" . }}-nats:4222
NATS_USER: fanfare
NATS_PASSWORD: {secretKeyRef: {name: {{ include "fanfare.secretName" . }}, key: nats-password}}
NATS_REPLICAS: {{ $nats.replicas | quote }}
NATS_LOG_BYTES_MAX: {{ include "fanfare.natsLogBytes" . | quote }}
{{- else -}}
NATS_REPLICAS: {{ $nats.external.streamReplicas | quote }}
{{- include "fanfare.environment.external" (dict "prefix" "NATS" "store" "nats" "external" $nats.external "keys" (dict "NATS_USER" $nats.external.userKey "NATS_PASSWORD" $nats.external.passwordKey)) }}
{{- if $nats.external.credsKey }}
NATS_CREDS_FILE: /etc/fanfare/nats-creds/{{ $nats.external.credsKey }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "fanfare.environment.redis" -}}
{{- $redis := .Values.redis -}}
{{- if $redis.enabled -}}
REDIS_URL: redis://{{ include "fanfare.fullname" . }}-redis:6379/0
REDIS_PASSWORD: {secretKeyRef: {name: {{ include "fanfare.secretName" . }}, key: redis-password}}
{{- else -}}
{{- include "fanfare.environment.external" (dict "prefix" "REDIS" "store" "redis" "external" $redis.external "keys" (dict "REDIS_USERNAME" $redis.external.usernameKey "REDIS_PASSWORD" $redis.external.passwordKey "REDIS_SENTINEL_PASSWORD" $redis.external.sentinelPasswordKey)) }}
{{- end -}}
{{- end -}}

{{- define "fanfare.environment.postgresql" -}}
{{- $postgresql := .Values.postgresql -}}
{{- if $postgresql.enabled -}}
POSTGRES_URL: postgres://fanfare@{{ include "fanfare.fullname" . }}-postgresql:5432/fanfare
POSTGRES_PASSWORD: {secretKeyRef: {name: {{ include "fanfare.secretName" . }}, key: postgresql-password}}
{{- else -}}
{{- include "fanfare.environment.external" (dict "prefix" "POSTGRES" "store" "postgresql" "external" $postgresql.external "keys" (dict "POSTGRES_PASSWORD" $postgresql.external.passwordKey)) }}
{{- end -}}
{{- end -}}

{{/* A map as a container's env list; the user's map wins: dict map, more. */}}
{{- define "fanfare.envList" -}}
{{- range $name, $value := mergeOverwrite .map (deepCopy .more) }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  valueFrom:
    {{- toYaml $value | nindent 4 }}
  {{- else }}
  value: {{ include "fanfare.text" $value | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Files of secrets, as YAML list of dict name, secret, path, optional key: dict root, name, component. */}}
{{- define "fanfare.secretFiles" -}}
{{- $root := .root -}}
{{- if and $root.Values.tls.enabled (eq (include "fanfare.speaksGrpc" .) "true") }}
- {name: tls, secret: {{ include "fanfare.tlsSecret" . }}, path: /etc/fanfare/tls}
{{- end }}
{{- range .component.stores }}
{{- $store := index $root.Values . }}
{{- if not $store.enabled }}
{{- if $store.external.tls.existingSecret }}
- {name: {{ . }}-tls, secret: {{ $store.external.tls.existingSecret }}, path: /etc/fanfare/{{ eq . "postgresql" | ternary "postgres" . }}}
{{- end }}
{{- if and (eq . "nats") $store.external.credsKey }}
- {name: nats-creds, secret: {{ $store.external.existingSecret }}, path: /etc/fanfare/nats-creds, key: {{ $store.external.credsKey }}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The Secret with tls.crt, tls.key and ca.crt of a component: dict root, name. */}}
{{- define "fanfare.tlsSecret" -}}
{{- $given := index .root.Values.tls.existingSecrets (.name | camelcase | untitle) -}}
{{- if $given -}}
{{- $given -}}
{{- else if .root.Values.tls.certManager.enabled -}}
{{- include "fanfare.fullname" .root }}-{{ .name }}-tls
{{- else -}}
{{- fail (printf "tls.enabled needs certificates: set tls.certManager.enabled with an issuerRef, or tls.existingSecrets.%s" (.name | camelcase | untitle)) -}}
{{- end -}}
{{- end -}}
