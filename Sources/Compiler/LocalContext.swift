/// `ctx` on this machine: what was given, what the repository says, and examples for the rest.
///
/// Every value is found out when it is asked for. What git's own files say is read from them;
/// libgit2 is loaded for the files that changed, and for a revision.
package final class LocalContext: ContextProvider {
    private let root: String
    private let revision: String?
    private let pipeline: String?
    private let parameters: [(name: String, value: String)]
    private let trigger: Trigger
    private lazy var folder = GitFolder(root)
    private lazy var head = GitHead(root)
    private lazy var repository = Result { () throws(GitError) in try GitRepository(root) }

    /// Where steps find the workspace.
    static let workspace = "/workspace"
    private static let mostChanges = 100_000

    /// The context of the working copy in `root`, or of a revision of its repository.
    package init(
        root: String, revision: String? = nil, pipeline: String? = nil,
        parameters: [(name: String, value: String)] = [], trigger: Trigger
    ) {
        self.root = root
        self.revision = revision
        self.pipeline = pipeline
        self.parameters = parameters
        self.trigger = trigger
    }

    /// Takes what the trigger says, else asks the repository's git.
    package func value(_ name: String) -> ContextAnswer {
        do throws(GitError) {
            guard let value = try find(name) else { return .unknown }
            return .value(value)
        } catch {
            return .failed("`ctx.\(name)` cannot be found out: \(error)")
        }
    }

    private func find(_ name: String) throws(GitError) -> JSONValue? {
        switch name {
        case "event": return trigger.value(name) ?? .object([])
        case "trigger_type": return .string(trigger.event)
        case "pipeline": return pipeline.map(JSONValue.string)
        case "params":
            return .object(parameters.map { JSONValue.Member($0.name, .string($0.value)) })
        case "pull_request":
            return trigger.event == "pull_request" ? try pullRequest() : .null
        default: break
        }
        if let given = trigger.value(name) { return given }
        switch name {
        case "job_id": return .string("local")
        case "workspace": return .string(Self.workspace)
        case "repo": return .string(repositoryName)
        case "branch": return .string(try branch())
        case "commit_sha": return .string(try commit?.hexOrText ?? "")
        case "tag": return trigger.event == "tag" ? .string(try tag()) : .null
        case "trigger_ref": return .string(try reference())
        case "changed_files": return .array(try changedFiles().map(JSONValue.string))
        default: return nil
        }
    }

    // MARK: The repository

    private enum Commit {
        case text(String)
        case id(GitID)

        var hexOrText: String {
            switch self {
            case .text(let text): text
            case .id(let id): id.hex
            }
        }
    }

    /// The commit, as far as it can be known without libgit2.
    private var commit: Commit? {
        get throws(GitError) {
            if let revision {
                if GitHead.isID(revision) { return .text(revision) }
                return .id(try repository.get().resolve(revision))
            }
            return head?.commit.map(Commit.text)
        }
    }

    private func commitID() throws(GitError) -> GitID? {
        switch try commit {
        case nil: return nil
        case .id(let id)?: return id
        case .text(let text)?: return try repository.get().resolve(text)
        }
    }

    private func branch() throws(GitError) -> String {
        switch trigger.event {
        // A tag is not pushed to a branch.
        case "tag": ""
        case "pull_request": try pullRequest()["head_branch"]?.text ?? ""
        default: ownBranch
        }
    }

    /// The branch of the revision if it names one, else the branch that HEAD is on.
    private var ownBranch: String {
        if let revision, folder?.commit(of: "refs/heads/" + revision) != nil { return revision }
        return head?.branch ?? ""
    }

    /// The branch that others are merged into.
    private var baseBranch: String {
        if let line = folder?.symbolic("refs/remotes/origin/HEAD") {
            let prefix = "refs/remotes/origin/"
            if line.hasPrefix(prefix) { return String(line.dropFirst(prefix.count)) }
        }
        for name in ["main", "master", "trunk", "develop"]
        where folder?.commit(of: "refs/heads/" + name) != nil
            || folder?.commit(of: "refs/remotes/origin/" + name) != nil
        { return name }
        return "main"
    }

    private func tag() throws(GitError) -> String {
        if let id = try commitID(), let name = try repository.get().tag(on: id) { return name }
        return "v0.0.0"
    }

    private func reference() throws(GitError) -> String {
        switch trigger.event {
        case "tag":
            if let given = trigger.value("tag")?.text { return "refs/tags/" + given }
            return "refs/tags/" + (try tag())
        case "pull_request":
            guard case .integer(let number)? = try pullRequest()["number"] else { return "" }
            return "refs/pull/\(number)/head"
        default:
            var name = trigger.value("branch")?.text
            if name == nil { name = try branch() }
            guard let name else { return "" }
            return name.isEmpty ? "" : "refs/heads/" + name
        }
    }

    private func pullRequest() throws(GitError) -> JSONValue {
        let given = trigger.value("pull_request")
        let own = trigger.value("branch")?.text ?? ownBranch
        let base = baseBranch
        var request: JSONValue = .object([
            .init("number", .integer(1)),
            .init("title", .string("An example pull request")),
            .init("body", .string("")),
            .init("author", .string("someone")),
            .init("head_branch", .string(own.isEmpty || own == base ? "feature" : own)),
            .init("base_branch", .string(base)),
            .init("fork", .bool(false)),
        ])
        if given?["head_sha"] == nil {
            var head = trigger.value("commit_sha")?.text
            if head == nil { head = try commit?.hexOrText }
            request.set(["head_sha"], to: .string(head ?? ""))
        }
        for member in given?.members ?? [] { request.set([member.key], to: member.value) }
        return request
    }

    /// What the push or pull request changed: against the common ancestor with the base branch for
    /// a pull request, else against the commit before.
    private func changedFiles() throws(GitError) -> [String] {
        guard let commit = try commitID() else { return [] }
        let repository = try repository.get()
        var base: GitID?
        if trigger.event == "pull_request" {
            let name = trigger.value("pull_request")?["base_branch"]?.text ?? baseBranch
            for prefix in ["refs/remotes/origin/", "refs/heads/"] where base == nil {
                guard let other = try? repository.resolve(prefix + name) else { continue }
                base = try repository.mergeBase(commit, other)
            }
        }
        if base == nil || base == commit { base = try repository.parent(of: commit) }
        let old: GitID? = if let base { try repository.tree(of: base) } else { nil }
        let paths = try repository.changes(
            from: old, to: repository.tree(of: commit), most: Self.mostChanges)
        return paths.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `owner/name` from the address of `origin`, else the name of the folder.
    private var repositoryName: String {
        if let origin = folder?.origin, let name = Self.name(of: origin) { return name }
        let path = (try? WorkingTree(root))?.path ?? root
        return path.split(separator: "/").last.map(String.init) ?? "repository"
    }

    /// The path in a remote's address, without credentials, host and `.git`.
    static func name(of address: String) -> String? {
        var path = address[...]
        if let scheme = path.firstRange(of: "://") {
            path = path[scheme.upperBound...]
            guard let slash = path.firstIndex(of: "/") else { return nil }
            path = path[slash...]
        } else if let colon = path.firstIndex(of: ":"), !path[..<colon].contains("/") {
            path = path[path.index(after: colon)...]
        }
        let parts = path.split(separator: "/").suffix(2)
        guard let last = parts.last else { return nil }
        let name = last.hasSuffix(".git") ? last.dropLast(4) : last
        guard !name.isEmpty else { return nil }
        return (parts.dropLast() + [name]).joined(separator: "/")
    }
}
