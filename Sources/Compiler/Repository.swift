internal import Glibc
package import PipelineIR

/// Where a pipeline's files and context come from.
package enum Repository {
    /// Why a repository cannot be read, for the user.
    package struct OpenError: Error, Sendable {
        /// Says what is wrong and what to do about it.
        package var diagnostic: Diagnostic
    }

    /// Opens the working copy in `root`, or a revision of its repository.
    static func open(
        root: String, revision: String?
    ) throws(OpenError) -> any RepositorySource {
        guard let revision else {
            do { return try WorkingTree(root) } catch {
                throw OpenError(diagnostic: unreadable(root, error))
            }
        }
        do { return try GitTree(root, revision: revision) } catch {
            throw OpenError(diagnostic: words(error, root))
        }
    }

    /// The context that a request describes.
    static func context(_ request: CompileRequest) -> any ContextProvider {
        LocalContext(
            root: request.root, revision: request.revision, pipeline: request.pipeline,
            parameters: request.parameters.map { (name: $0.0, value: $0.1) },
            trigger: request.trigger)
    }

    /// The nearest folder at or above `folder` that has a `.git`, else `folder` itself.
    package static func root(around folder: String) -> String {
        guard let resolved = realpath(folder, nil) else { return folder }
        defer { free(resolved) }
        var place = String(cString: resolved)
        while true {
            if access(place + "/.git", F_OK) == 0 { return place }
            guard let slash = place.lastIndex(of: "/"), place.count > 1 else { return folder }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }

    private static func unreadable(_ root: String, _ error: BridgeError) -> Diagnostic {
        var why = "\(error)"
        if case .io(_, let number) = error { why = errorText(number) }
        return Diagnostic(
            code: "DNB903", level: .error, message: "The folder `\(root)` cannot be read: \(why)",
            hint: "Name the repository's folder with -C.")
    }

    /// What a failure of git is for the user.
    static func words(_ error: GitError, _ root: String) -> Diagnostic {
        let (code, message, hint) =
            switch error {
            case .unavailable(let why):
                (
                    "DNB903", "A revision cannot be read: \(why)",
                    "Install libgit2 (Debian: apt-get install libgit2-1.5)."
                )
            case .noRepository(let why):
                (
                    "DNB605", "`\(root)` is not a git repository: \(why)",
                    "Name no revision to read the folder as it is, or the repository with -C."
                )
            case .noRevision(let revision, let why):
                (
                    "DNB605", "`\(revision)` is not a commit of this repository: \(why)",
                    "Name a commit, branch or tag that `git log` knows; fetch it first."
                )
            case .failed(let why):
                ("DNB903", "The repository cannot be read: \(why)", "Check it with `git fsck`.")
            }
        return Diagnostic(code: code, level: .error, message: message, hint: hint)
    }
}
