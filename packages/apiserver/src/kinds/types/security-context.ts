// Identity and privileges of processes (core/v1): validated and kept; a process without a container cannot be confined by them.

import { bool, field, int64, listOf, str, strings, struct } from "../schema-helpers.ts";

const appArmorProfile = struct("core.v1.AppArmorProfile", "An AppArmor profile.", {
  localhostProfile: str(undefined),
  "type!": str(undefined),
});

const seLinuxOptions = struct("core.v1.SELinuxOptions", "SELinux labels.", {
  level: str(undefined),
  role: str(undefined),
  type: str(undefined),
  user: str(undefined),
});

const seccompProfile = struct("core.v1.SeccompProfile", "A seccomp profile.", {
  localhostProfile: str(undefined),
  "type!": str(undefined),
});

const windowsSecurityContextOptions = struct(
  "core.v1.WindowsSecurityContextOptions",
  "Options for Windows.",
  {
    gmsaCredentialSpec: str(undefined),
    gmsaCredentialSpecName: str(undefined),
    hostProcess: bool(undefined),
    runAsUserName: str(undefined),
  },
);

const capabilities = struct("core.v1.Capabilities", "Linux capabilities to add and drop.", {
  add: strings(undefined),
  drop: strings(undefined),
});

const sysctl = struct("core.v1.Sysctl", "A kernel parameter.", {
  "name!": str(undefined),
  "value!": str(undefined),
});

export const securityContext = struct("core.v1.SecurityContext", "Privileges of one container.", {
  allowPrivilegeEscalation: bool(undefined),
  appArmorProfile: appArmorProfile,
  capabilities: field(capabilities, "Linux capabilities to add and drop."),
  privileged: bool(undefined),
  procMount: str(undefined),
  readOnlyRootFilesystem: bool("True: the root file system is read-only."),
  runAsGroup: int64(undefined),
  runAsNonRoot: bool("True: refuse to run as root."),
  runAsUser: int64("User id of the process."),
  seLinuxOptions: seLinuxOptions,
  seccompProfile: seccompProfile,
  windowsOptions: windowsSecurityContextOptions,
});

export const podSecurityContext = struct(
  "core.v1.PodSecurityContext",
  "Privileges of all containers of the pod.",
  {
    appArmorProfile: appArmorProfile,
    fsGroup: int64("Group that owns the volumes."),
    fsGroupChangePolicy: str(undefined),
    runAsGroup: int64(undefined),
    runAsNonRoot: bool(undefined),
    runAsUser: int64("User id of the processes."),
    seLinuxChangePolicy: str(undefined),
    seLinuxOptions: seLinuxOptions,
    seccompProfile: seccompProfile,
    supplementalGroups: listOf(int64(undefined)),
    supplementalGroupsPolicy: str(undefined),
    sysctls: listOf(sysctl),
    windowsOptions: windowsSecurityContextOptions,
  },
);
