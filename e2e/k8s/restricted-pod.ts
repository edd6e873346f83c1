/** A pod of one container that passes Pod Security "restricted", as all that these tests start must. */

export interface Parts {
  /** Without security settings, which are the same for all. */
  container: object;
  labels: object;
  volumes?: readonly object[];
}

/** The template of a Job, or a pod's own metadata and spec. */
export function restrictedPod({ container, labels, volumes = [] }: Parts) {
  return {
    metadata: { labels },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10_001,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          ...container,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
      volumes,
    },
  };
}
