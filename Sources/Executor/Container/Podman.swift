internal import Glibc

/// The `podman` program of this machine, and how it has to be called here.
struct Podman: Equatable {
    /// Flags of podman itself that this machine needs, in a variable.
    static let flagsVariable = "DANUBE_PODMAN_FLAGS"
    private static let initPrograms = [
        "/usr/libexec/podman/catatonit", "/usr/lib/podman/catatonit",
        "/usr/local/libexec/podman/catatonit", "/usr/local/lib/podman/catatonit",
        "/usr/bin/catatonit",
    ]
    /// Capability that lets a process raise its limits: CAP_SYS_RESOURCE.
    private static let raisesLimits: UInt64 = 1 << 24
    private static let mostProcesses: UInt = 32768

    /// The program and its own flags, to which a command is added.
    let command: [String]
    /// Flags of every container.
    let containerFlags: [String]

    /// Takes both from texts, as they were handed over.
    init(command: [String], containerFlags: [String]) {
        self.command = command
        self.containerFlags = containerFlags
    }

    /// Looks for the program in the folders where programs are; `nil` when it is not there.
    init?(path: String) {
        guard let found = Self.program("podman", path) else { return nil }
        let flags = getenv(Self.flagsVariable).map { String(cString: $0) } ?? ""
        let words = flags.split(separator: " ").map { String($0) }
        let namesRuntime = words.contains { $0.hasPrefix("--runtime") }
        command = [found] + words + (namesRuntime ? [] : Self.runtimeFlags(path))
        containerFlags = Self.initFlags + Self.limitFlags
    }

    private static func program(_ name: String, _ path: String) -> String? {
        let places = path.split(separator: ":").map { folder in "\(folder)/\(name)" }
        return places.first { place in access(place, X_OK) == 0 }
    }

    /// Where the kernel's second hierarchy of control groups has controllers beside the first,
    /// `crun`, which podman takes by itself, runs nothing. `runc` does.
    private static func runtimeFlags(_ path: String) -> [String] {
        let controllers = words(of: "/sys/fs/cgroup/unified/cgroup.controllers")
        guard !controllers.isEmpty, let runc = program("runc", path) else { return [] }
        return ["--runtime", runc]
    }

    /// The first process of a container ignores SIGTERM unless it handles it, so that one is wanted
    /// that passes it on.
    private static var initFlags: [String] {
        initPrograms.contains { access($0, X_OK) == 0 } ? ["--init"] : []
    }

    /// Root's podman raises the limits of containers. Where root may not, containers get those that
    /// Danube has.
    private static var limitFlags: [String] {
        guard geteuid() == 0, !mayRaiseLimits else { return [] }
        var files = rlimit()
        var processes = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0,
            getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &processes) == 0
        else { return [] }
        // Podman lowers its own limit on processes to this number.
        let most = min(processes.rlim_max, mostProcesses)
        return [
            "--ulimit", "nofile=\(files.rlim_cur):\(files.rlim_max)",
            "--ulimit", "nproc=\(most):\(most)",
        ]
    }

    private static var mayRaiseLimits: Bool {
        let words = words(of: "/proc/self/status")
        guard let name = words.firstIndex(of: "CapEff:"), name + 1 < words.count else {
            return true
        }
        return (UInt64(words[name + 1], radix: 16) ?? 0) & raisesLimits != 0
    }

    /// The words of a small file of the kernel; none when it is not there.
    private static func words(of path: String) -> [Substring] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        // Such files have no size, so they are read as they come.
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }
    }

    /// The id of an image that is on this machine; `nil` when it is not.
    func imageID(of reference: String) -> String? {
        guard
            let found = try? run(["image", "inspect", "--format", "{{.Id}}", "--", reference]),
            found.code == 0
        else { return nil }
        let id = String(decoding: found.output, as: UTF8.self).filter { !$0.isWhitespace }
        return id.utf8.count == 64 ? id : nil
    }

    /// Fetches an image. False when that is not possible.
    func pull(_ reference: String) -> Bool {
        (try? run(["pull", "--quiet", "--", reference]))?.code == 0
    }

    /// Removes containers with all that runs in them; names of none are no mistake.
    func remove(_ names: [String]) {
        if names.isEmpty { return }
        // What a killed run left keeps references to mounts that are gone. The first removal
        // stumbles over them and the second does not.
        for _ in 0..<3 {
            let command = ["rm", "--force", "--ignore", "--volumes", "--time", "0", "--"]
            if let ended = try? run(command + names), ended.code == 0 { return }
        }
    }

    /// Runs a command of podman to its end.
    private func run(_ arguments: [String]) throws(RunnerError) -> Subprogram.Result {
        try Subprogram.run(command + arguments, in: "/", environment: Self.environment)
    }

    /// What podman itself is run with: the environment of Danube, in which it finds its settings.
    static var environment: [String] {
        var found: [String] = []
        var next = environ
        while let variable = next.pointee {
            found.append(String(cString: variable))
            next += 1
        }
        return found
    }

    /// Whether podman, or the C library under it, heeds a variable itself. The value of one is
    /// given to a container in a flag, since it may not reach podman.
    static func heeds(_ name: String) -> Bool {
        let prefixes = [
            "LD_", "XDG_", "CONTAINER", "STORAGE_", "REGISTR", "DOCKER_", "GO", "SSL_CERT_",
            "DBUS_", "LISTEN_", "NOTIFY_", "_", "PODMAN_", "BUILDAH_", "TMPDIR", "DANUBE_ATTEMPT",
            "GLIBC_", "MALLOC_", "SUDO_",
        ]
        let names = ["PATH", "HOME", "USER", "LOGNAME"]
        return names.contains(name) || prefixes.contains { name.hasPrefix($0) }
            || name.lowercased().hasSuffix("_proxy")
    }
}
