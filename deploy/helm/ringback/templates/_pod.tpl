{{- define "ringback.labels" -}}
app.kubernetes.io/name: ringback
app.kubernetes.io/instance: {{ .release }}
app.kubernetes.io/component: {{ .name }}
{{- end -}}

{{- /* A pod of one part: .root, .name, .part, .release */ -}}
{{- define "ringback.pod" -}}
metadata:
  labels: {{- include "ringback.labels" . | nindent 4 }}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: {{ .part.metricsPort | quote }}
    # Changed settings and files are read at the start, so they start pods anew.
    checksum/settings: {{ toYaml (list .root.Values.settings .root.Values.files .root.Values.kafka) | sha256sum }}
spec:
  automountServiceAccountToken: false
  # Kubernetes sets variables for each Service, such as RINGBACK_GATEWAY_PORT=tcp://...: ours must not be these.
  enableServiceLinks: false
  terminationGracePeriodSeconds: 40
  securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .part.args }}
      envFrom:
        - configMapRef: {name: {{ .release }}-settings}
        {{- range .part.secrets }}
        {{- with index $.root.Values.secrets . }}
        - secretRef: {name: {{ . }}}
        {{- end }}
        {{- end }}
      {{- with .part.env }}
      env:
        {{- range $name, $value := . }}
        - {name: {{ $name }}, value: {{ $value | quote }}}
        {{- end }}
      {{- end }}
      ports:
        - {name: metrics, containerPort: {{ .part.metricsPort }}}
        {{- with .part.port }}
        - {name: http, containerPort: {{ . }}}
        {{- end }}
      resources:
        requests: {cpu: {{ .part.cpu | default "100m" }}, memory: {{ .part.memory }}}
        limits: {memory: {{ .part.memory }}}
      # Made when the process has recovered and takes events. A worker may read its state for long: an hour at most.
      startupProbe: {exec: {command: [test, -f, /tmp/ringback.ready]}, periodSeconds: 5, failureThreshold: 720}
      readinessProbe: {exec: {command: [test, -f, /tmp/ringback.ready]}, periodSeconds: 10}
      # Of worker and sink: does the loop answer? The others answer any path with their metrics.
      livenessProbe: {httpGet: {path: /health, port: metrics}, periodSeconds: 10, timeoutSeconds: 6, failureThreshold: 6}
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: data, mountPath: /data}
        - {name: files, mountPath: /etc/ringback, readOnly: true}
        {{- if .root.Values.kafka.tlsSecret }}
        - {name: kafka-tls, mountPath: /etc/ringback-kafka, readOnly: true}
        {{- end }}
  volumes:
    - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
    - {name: files, configMap: {name: {{ .release }}-files}}
    {{- with .root.Values.kafka.tlsSecret }}
    - {name: kafka-tls, secret: {secretName: {{ . }}}}
    {{- end }}
    {{- if not .part.storage }}
    - {name: data, emptyDir: {sizeLimit: 1Gi}}
    {{- end }}
{{- end -}}
