{{/* A pod that runs one command of the CLI against this release: dict root, name, weight, args (YAML). */}}
{{- define "fanfare.testPod" -}}
{{- include "fanfare.mergedPod" (dict "template" (include "fanfare.testPodAlone" .) "with" (list .root.Values.podTemplate)) -}}
{{- end -}}

{{- define "fanfare.testPodAlone" -}}
{{- $root := .root -}}
{{- $fullname := include "fanfare.fullname" $root -}}
{{- $scope := dict "root" $root "name" "cli" "component" (dict "calls" (list "quiz") "stores" list) -}}
{{- $files := include "fanfare.secretFiles" $scope | fromYamlArray -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ $fullname }}-test-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "fanfare.labels" (dict "root" $root "component" "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  {{- include "fanfare.podBasics" $root | nindent 2 }}
  restartPolicy: Never
  # A pod that can't start, or hangs, fails the test.
  activeDeadlineSeconds: {{ $root.Values.tests.timeoutSeconds }}
  securityContext:
    {{- include "fanfare.podSecurity" 10001 | nindent 4 }}
  containers:
    - name: cli
      image: {{ include "fanfare.image" (dict "root" $root "suffix" "cli" "override" $root.Values.tests.image) }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        {{- with $root.Values.secrets.envFile }}
        - --env-file={{ . }}
        {{- end }}
        {{- .args | nindent 8 }}
      env:
        {{- include "fanfare.envList" (dict "map" (include "fanfare.environment" $scope | fromYaml) "more" dict) | nindent 8 }}
      resources:
        requests: {cpu: 50m, memory: 128Mi}
        limits: {memory: 512Mi}
      securityContext:
        {{- include "fanfare.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - {name: quiz, mountPath: /etc/fanfare/quiz, readOnly: true}
        {{- range $files }}
        - {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
        {{- end }}
  volumes:
    - name: quiz
      configMap: {name: {{ $fullname }}-test}
    {{- include "fanfare.secretVolumes" $files | nindent 4 }}
{{- end -}}
