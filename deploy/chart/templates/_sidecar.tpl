{{/* The same container as deploy/components/sidecar; a test compares them. */}}
{{- define "scopegate.sidecar.container" -}}
{{- $watches := eq .Values.injection.policyMode "watch" -}}
name: scopegate
image: {{ include "scopegate.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
restartPolicy: Always
args: [serve]
env:
  {{- if $watches }}
  - name: POD_NAMESPACE
    valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
  - name: SCOPEGATE_POLICY
    value: configmap:$(POD_NAMESPACE)/{{ .Values.injection.configMap }}
  {{- else }}
  - name: SCOPEGATE_POLICY
    value: /etc/scopegate/policy
  {{- end }}
  - name: SCOPEGATE_GRPC
    value: 127.0.0.1:9001
  - name: SCOPEGATE_ADMIN
    value: {{ printf "%s:9002" .Values.listenHost | quote }}
  {{- include "scopegate.optionEnv" .Values.injection.options | nindent 2 }}
  - name: SCOPEGATE_DRAIN
    value: {{ .Values.injection.drainSeconds }}s
  {{- with include "scopegate.heap" (dict "resources" .Values.injection.resources "workers" 1) }}
  - name: NODE_OPTIONS
    value: --max-old-space-size={{ . }}
  {{- end }}
ports:
  - { name: scopegate-admin, containerPort: 9002 }
startupProbe:
  httpGet: { path: /readyz, port: scopegate-admin }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 120
readinessProbe:
  httpGet: { path: /readyz, port: scopegate-admin }
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: { path: /livez, port: scopegate-admin }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
resources:
  {{- toYaml .Values.injection.resources | nindent 2 }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
volumeMounts:
  {{- if $watches }}
  - { name: scopegate-api-access, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
  {{- else }}
  - { name: scopegate-policy, mountPath: /etc/scopegate/policy, readOnly: true }
  {{- end }}
{{- end -}}

{{- define "scopegate.sidecar.volume" -}}
{{- if eq .Values.injection.policyMode "watch" -}}
name: scopegate-api-access
projected:
  # Readable by every user because the pod may have no fsGroup; who can read it is decided by who mounts it.
  defaultMode: 0444
  {{- include "scopegate.apiAccess" . | nindent 2 }}
{{- else -}}
name: scopegate-policy
configMap: { name: {{ .Values.injection.configMap }} }
{{- end -}}
{{- end -}}

{{/* A value of a Kubernetes object as a CEL expression of the type Object.…, on one line. */}}
{{- define "scopegate.cel" -}}
{{- $type := .type -}}
{{- if kindIs "map" .value -}}
{{- $isPlain := or (hasSuffix ".requests" $type) (hasSuffix ".limits" $type) -}}
{{- $fields := list -}}
{{- range $key, $value := .value -}}
{{- $inner := include "scopegate.cel" (dict "value" $value "type" (printf "%s.%s" $type $key)) -}}
{{- $fields = append $fields (printf "%s: %s" ($isPlain | ternary (toRawJson $key) $key) $inner) -}}
{{- end -}}
{{- $isPlain | ternary "" $type }}{ {{- join ", " $fields -}} }
{{- else if kindIs "slice" .value -}}
{{- $items := list -}}
{{- range .value }}{{ $items = append $items (include "scopegate.cel" (dict "value" . "type" $type)) }}{{ end -}}
[{{ join ", " $items }}]
{{- else if kindIs "string" .value -}}
{{ toRawJson .value }}
{{- else -}}
{{ include "scopegate.text" .value }}
{{- end -}}
{{- end -}}
