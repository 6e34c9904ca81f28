// The hostnames of the demo's routes, for the hosts file.

export const demoHostnames = ["whoami.localhost", "demo.localhost", "traefik.localhost"];
