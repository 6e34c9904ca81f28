// The version that `gatehouse --version`, the node and the API server report.

export const version = "0.1.0";
