// The Kubernetes version that API server and kubelet speak, and say they do.

/** Major and minor version, e.g. for `kubectl version` and its warning about skew. */
export const kubernetesVersion = { major: "1", minor: "32", gitVersion: "v1.32.0+gatehouse" } as const;
