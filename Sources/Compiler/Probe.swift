internal import CSandbox
internal import Glibc

/// Finds out what this host has of what Danube needs, for `danube doctor`.
package struct Probe: Sendable {
    /// One thing that was looked for.
    package struct Finding: Sendable, Equatable {
        /// What people know it by: `libpython`, `git`.
        package var name: String
        /// Whether it was found and works.
        package var holds: Bool
        /// What was found, or why not.
        package var detail: String
        /// Whether nothing works without it.
        package var isRequired: Bool
    }

    /// What programs and libraries there are.
    package var findings: [Finding] = []
    /// Layers of the evaluator's sandbox, when it could be started.
    package var layers: [SandboxLayer] = []

    /// Whether everything is there without which nothing works.
    package var isUsable: Bool { findings.allSatisfy { $0.holds || !$0.isRequired } }

    /// Looks for everything. Starts the evaluator once, without a danubefile.
    package static func run() -> Probe {
        var probe = Probe()
        probe.findEvaluator()
        probe.findings.append(
            Finding(
                name: "openat2", holds: danube_has_openat2() != 0,
                detail: danube_has_openat2() != 0
                    ? "files are read beneath the repository only" : "needs Linux 5.6 or later",
                isRequired: true))
        probe.findGit()
        for (name, use) in [("git", "clones and fetches"), ("podman", "runs images of steps")] {
            let path = Self.program(name)
            probe.findings.append(
                Finding(
                    name: name, holds: path != nil, detail: path ?? "not in PATH; it \(use)",
                    isRequired: false))
        }
        return probe
    }

    private mutating func findEvaluator() {
        let program: String
        do { program = try BridgeLocation.find() } catch {
            add(BridgeLocation.name, false, "\(Self.words(error))", isRequired: true)
            return
        }
        add(BridgeLocation.name, true, program, isRequired: true)
        var evaluation = Evaluation(file: "danubefile.py", bridge: program)
        evaluation.options = [(name: "mode", value: "doctor")]
        let report: BridgeReport
        do {
            report = try BridgeProcess.greet(evaluation)
        } catch {
            add("libpython", false, Self.words(error), isRequired: true)
            return
        }
        layers = report.layers
        if report.python.isEmpty {
            add("libpython", false, layers.first?.detail ?? "did not start", isRequired: true)
            layers = []
            return
        }
        add("libpython", true, report.python, isRequired: true)
        let library = StandardLibrary.find(version: report.python)
        add(
            "standard library", library != nil, library?.path ?? "not beneath /usr or /usr/local",
            isRequired: true)
        if case .some(.sandboxUnavailable(let layer, let detail)) = Self.failure(of: report) {
            add("sandbox", false, "no \(layer): \(detail)", isRequired: true)
        }
    }

    private mutating func findGit() {
        do {
            add("libgit2", true, try GitRepository.libraryVersion(), isRequired: false)
        } catch {
            var why = "\(error)"
            if case .unavailable(let text) = error { why = text }
            add("libgit2", false, "\(why); it reads revisions", isRequired: false)
        }
    }

    private mutating func add(
        _ name: String, _ holds: Bool, _ detail: String, isRequired: Bool
    ) {
        findings.append(
            Finding(name: name, holds: holds, detail: detail, isRequired: isRequired))
    }

    private static func failure(of report: BridgeReport) -> BridgeError? {
        do { try report.check() } catch { return error }
        return nil
    }

    private static func words(_ error: BridgeError) -> String {
        switch error {
        case .notFound(let paths): "not at \(paths.joined(separator: ", "))"
        case .noLibPython(let detail): detail
        case .sandboxUnavailable(let layer, let detail): "no \(layer): \(detail)"
        case .died(let signal, let code):
            signal != 0 ? "ended by signal \(signal)" : "ended with exit code \(code)"
        case .timeout(let limit): "did not answer within \(limit)"
        case .tooLarge(let what, _): "sent too much: \(what)"
        case .violation(let what): "sent what is not its protocol: \(what)"
        case .io(let what, let errno): "\(what): \(errorText(errno))"
        }
    }

    /// Where a program is by the rules of PATH.
    static func program(_ name: String) -> String? {
        guard let path = getenv("PATH") else { return nil }
        for folder in String(cString: path).split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }
}
