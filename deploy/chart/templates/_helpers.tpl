{{- define "scopegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 53 characters, so that every suffix below still makes a valid name. */}}
{{- define "scopegate.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Objects without a namespace: two releases of one name in two namespaces must not share them. */}}
{{- define "scopegate.clusterName" -}}
{{- printf "%s.%s" (include "scopegate.fullname" .root) .root.Release.Namespace }}{{ with .suffix }}.{{ . }}{{ end -}}
{{- end -}}

{{- define "scopegate.selectorLabels" -}}
app.kubernetes.io/name: {{ include "scopegate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "scopegate.labels" -}}
{{ include "scopegate.selectorLabels" . }}
app.kubernetes.io/part-of: scopegate
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "scopegate.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "scopegate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "scopegate.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end }}{{ .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "scopegate.policyNamespace" -}}
{{- .Values.policy.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "scopegate.policyName" -}}
{{- .Values.policy.existingConfigMap | default (printf "%s-policy" (include "scopegate.fullname" .)) -}}
{{- end -}}

{{/* Every source that `--policy` gets, separated by spaces. */}}
{{- define "scopegate.policySources" -}}
{{- $sources := list -}}
{{- if eq .Values.policy.mode "watch" -}}
{{- $sources = append $sources (printf "configmap:%s/%s" (include "scopegate.policyNamespace" .) (include "scopegate.policyName" .)) -}}
{{- else if eq .Values.policy.mode "selector" -}}
{{- $pairs := list -}}
{{- range $key, $value := .Values.policy.matchLabels }}{{ $pairs = append $pairs (printf "%s=%s" $key $value) }}{{ end -}}
{{- $sources = append $sources (printf "configmaps:%s?%s" (include "scopegate.policyNamespace" .) (join "," $pairs)) -}}
{{- else -}}
{{- $sources = append $sources "/etc/scopegate/policy" -}}
{{- end -}}
{{- join " " (concat $sources .Values.policy.extraSources) -}}
{{- end -}}

{{/* An option of `serve` and its variable are spelled alike. */}}
{{- define "scopegate.optionEnv" -}}
{{- range $option, $value := . }}
- name: SCOPEGATE_{{ $option | replace "-" "_" | upper }}
  value: {{ include "scopegate.text" $value | quote }}
{{- end }}
{{- end -}}

{{/* Large numbers of a values file are floats, and would print as 1e+06. */}}
{{- define "scopegate.text" -}}
{{- if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/*
What the memory limit leaves for the heap of each process, in MiB: all but some 160 of code, stacks and buffers, which are not in it; of a
small limit half. Several workers have one more process, which directs them.
*/}}
{{- define "scopegate.heap" -}}
{{- $memory := dig "limits" "memory" "" .resources -}}
{{- if $memory -}}
{{- $mebi := trimSuffix "Mi" $memory | int64 -}}
{{- if hasSuffix "Gi" $memory }}{{ $mebi = mul 1024 (trimSuffix "Gi" $memory | int64) }}{{ end -}}
{{- if gt (int .workers) 1 }}{{ $mebi = div $mebi (add (int .workers) 1) }}{{ end -}}
{{- max (sub $mebi 160) (div $mebi 2) -}}
{{- end -}}
{{- end -}}

{{/* The projected volume that automountServiceAccountToken would mount, but only where it is asked for. */}}
{{- define "scopegate.apiAccess" -}}
sources:
  - serviceAccountToken: { path: token, expirationSeconds: 3600 }
  - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
  - downwardAPI: { items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }] }
{{- end -}}

{{- define "scopegate.tlsSecretName" -}}
{{- .Values.tls.secretName | default (printf "%s-server-tls" (include "scopegate.fullname" .)) -}}
{{- end -}}

{{- define "scopegate.appProtocol" -}}
{{- eq .Values.tls.mode "none" | ternary "grpc" "https" -}}
{{- end -}}

{{/* Whether more than one pod may run. */}}
{{- define "scopegate.isReplicated" -}}
{{- $pods := .Values.autoscaling.enabled | ternary .Values.autoscaling.maxReplicas .Values.replicas -}}
{{- if gt (int $pods) 1 }}true{{ end -}}
{{- end -}}

{{/* What no schema can say, in words. Included once, by the Deployment. */}}
{{- define "scopegate.validate" -}}
{{- $tls := .Values.tls -}}
{{- if and (ne $tls.mode "none") (not $tls.secretName) (not $tls.certManager.enabled) -}}
{{- fail (printf "tls.mode: %s needs a certificate: set tls.secretName, or tls.certManager.enabled: true" $tls.mode) -}}
{{- end -}}
{{- if and $tls.certManager.enabled (eq $tls.mode "none") -}}
{{- fail "tls.certManager.enabled: true makes certificates that nobody uses while tls.mode is none: set it to server or mutual" -}}
{{- end -}}
{{- if and (ne .Values.service.type "ClusterIP") (ne $tls.mode "mutual") -}}
{{- fail (printf "service.type: %s is reachable from outside, and whoever can ask can try tokens: it needs tls.mode: mutual" .Values.service.type) -}}
{{- end -}}
{{- if and (eq .Values.policy.mode "file") .Values.policy.namespace (ne .Values.policy.namespace .Release.Namespace) -}}
{{- fail "policy.namespace: a ConfigMap of another namespace cannot be mounted: use policy.mode: watch" -}}
{{- end -}}
{{- if and (eq .Values.policy.mode "selector") .Values.policy.existingConfigMap -}}
{{- fail "policy.existingConfigMap: with policy.mode: selector the labels choose, and no name does" -}}
{{- end -}}
{{- if and .Values.policy.documents .Values.policy.existingConfigMap -}}
{{- fail "policy.documents and policy.existingConfigMap: the policy comes from one of them, not from both" -}}
{{- end -}}
{{- if and .Values.policy.namespace (ne .Values.policy.namespace .Release.Namespace) .Values.policy.documents -}}
{{- fail "policy.documents: a release writes its policy into its own namespace only: remove policy.namespace" -}}
{{- end -}}
{{- if and .Values.injection.enabled (not (semverCompare ">=1.36.0-0" .Capabilities.KubeVersion.Version)) -}}
{{- fail (printf "injection.enabled: true needs Kubernetes 1.36 (MutatingAdmissionPolicy), this cluster has %s: use deploy/components/sidecar" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and .Values.admission.validatingAdmissionPolicy.enabled (not (semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version)) -}}
{{- fail (printf "admission.validatingAdmissionPolicy.enabled: true needs Kubernetes 1.30, this cluster has %s" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling: minReplicas %d is more than maxReplicas %d" (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}

{{/* Not the labels that the Services select. */}}
{{- define "scopegate.testLabels" -}}
app.kubernetes.io/name: {{ include "scopegate.name" . }}-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
