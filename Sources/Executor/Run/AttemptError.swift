internal import Glibc
internal import PipelineIR

/// Why an attempt cannot begin.
package enum AttemptError: Error, CustomStringConvertible {
    /// A secret that was not given.
    case noSecret(String)
    /// A program would get a secret as an argument, which everybody on the machine can read.
    case secretArgument(String)
    /// The step wants an image, and there is nothing that runs containers.
    case noContainers(String)
    /// Podman is there, and cannot work in the user namespace that workspaces are mounted in.
    case confinedContainers(String)
    /// The step has services, and no image in which it would reach them.
    case servicesWithoutImage
    /// Podman would take the variable for its own, and its value is secret.
    case variable(String)
    /// A service of the step does not run.
    case service(String)
    /// Podman cannot be told of a folder with this name.
    case folder(String)

    /// What is missing, for people.
    package var description: String {
        switch self {
        case .noSecret(let key): "secret `\(key)` was not given"
        case .secretArgument(let secret):
            "\(secret) is in an argument of the program, which everybody on this machine could read"
        case .noContainers(let image):
            image.isEmpty
                ? "it has services, and podman is not installed"
                : "it runs in the image `\(image)`, and podman is not installed"
        case .confinedContainers(let image):
            "it runs in the image `\(image)`, and podman cannot work in the user namespace in "
                + "which workspaces are mounted"
        case .servicesWithoutImage: "it has services, but no image in which it could reach them"
        case .variable(let name):
            "the variable `\(name)` holds a secret, and podman would take it for its own"
        case .service(let text): text
        case .folder(let path):
            "podman cannot mount \(path), since it has both `:` and `,` in its name"
        }
    }

    /// What to do next.
    package var hint: String {
        switch self {
        case .noSecret(let key):
            "Give it with --secret \(key), which takes it from the environment."
        case .secretArgument:
            "Hand it over with env={…}, or make the command a script: scripts are kept in memory."
        case .noContainers(let image):
            image.isEmpty
                ? "Install podman."
                : "Install podman, or run its steps on this machine with --host."
        case .confinedContainers:
            "Set \(Workspaces.variable)=copy, use --in-place, or run its steps on this machine "
                + "with --host."
        case .servicesWithoutImage: "Name one: step.run(…, image=…)."
        case .variable: "Give the secret another name in env=."
        case .service: "What podman says of it is above."
        case .folder: "Run from a folder with another name."
        }
    }
}

/// What a step that Danube could not run comes to.
struct Refusal {
    var outcome: AttemptOutcome
    var text: String
    var hint: String?
}

extension Scheduler {
    /// Tells a full disk and what is missing from a step's own failure.
    func refusal(_ error: any Error, _ what: String = "The step cannot run") -> Refusal {
        switch error {
        case let error as AttemptError:
            return Refusal(
                outcome: .couldNotStart("\(error)"), text: "\(what): \(error)",
                hint: error.hint)
        case let error as RunnerError:
            return Refusal(
                outcome: .couldNotStart("\(error)"), text: "\(what): \(error)",
                hint: error.hint)
        case CacheError.noSpace(let path, let fileSystem):
            return Refusal(
                outcome: .noSpace(fileSystem),
                text: "No space is left on \(fileSystem) for \(path)",
                hint: "Free some, or run `danube cache gc`.")
        case WorkspaceError.system(_, let path, ENOSPC):
            return Refusal(outcome: .noSpace(path), text: "\(error)", hint: "Free some space.")
        case let error as WorkspaceError: return refusal(workspace: error)
        default:
            return Refusal(
                outcome: .couldNotStart("\(error)"), text: "\(what): \(error)")
        }
    }

    private func refusal(workspace error: WorkspaceError) -> Refusal {
        guard case .conflict(let path, let first, let second) = error else {
            return Refusal(outcome: .couldNotStart("\(error)"), text: "\(error)")
        }
        let text =
            "\(names(first)) and \(names(second)) ran at the same time and changed `\(path)` "
            + "to different contents"
        return Refusal(
            outcome: .couldNotStart(text), text: text,
            hint: "Put them in a sequence, or let only one of them write it.")
    }

    private func names(_ steps: [Int]) -> String {
        steps.map { "`\(plan.steps[$0].name)`" }.joined(separator: ", ")
    }
}

extension AttemptOutcome {
    /// Whether the attempt did what it should.
    var isSuccess: Bool {
        if case .exitCode(0, _) = self { true } else { false }
    }

    /// What a person is told of an outcome that its exit code does not explain.
    func reason(_ step: Step) -> String? {
        switch self {
        case .exitCode(let code, _): code > 128 ? Self.signal(code - 128) : nil
        case .timedOut:
            "timed out after \(Double(step.options?.timeoutMilliseconds ?? 0) / 1000) s"
        case .cancelled: "cancelled"
        case .lost(let reason), .couldNotStart(let reason), .imagePullFailed(let reason),
            .badOutput(let reason), .uploadFailed(let reason):
            reason
        case .noSpace(let place): "no space left on \(place)"
        case .outOfMemory: "it took more memory than it may"
        }
    }

    private static func signal(_ number: Int32) -> String? {
        guard number < 65, let name = strsignal(number) else { return nil }
        return "ended by signal \(number) (\(String(cString: name)))"
    }
}
