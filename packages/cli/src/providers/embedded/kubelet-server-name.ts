// In a file of its own, because the cluster process needs the name and must not load what makes certificates (50 ms).

/** The name by which the API server knows the kubelet's certificate, whatever address it has. */
export const kubeletServerName = "kubelet.gatehouse.internal";
