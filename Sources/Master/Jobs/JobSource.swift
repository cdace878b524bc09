internal import Compiler

/// Where a job's commit comes from, as the job was asked for.
struct JobSource: Sendable {
    let request: NewJob

    /// The repository's address, when it may be built. It waits for files.
    func address(
        allowed: [String], owner: UInt32?
    ) throws(JobProblem) -> RepositoryAddress {
        do {
            return try RepositoryAddress(
                request.repository, allowed: allowed, owner: owner)
        } catch {
            throw .repository(request.repository, error)
        }
    }

    /// What is fetched: the commit that is named, else the ref, else the main branch.
    func reference() throws(JobProblem) -> GitRef? {
        guard let text = request.revision ?? request.ref else { return nil }
        guard let ref = GitRef(text) else { throw .ref(text) }
        return ref
    }

    /// The branch, when one is named.
    var branch: String? {
        guard let ref = request.ref else { return nil }
        let prefix = "refs/heads/"
        if ref.hasPrefix(prefix) { return String(ref.dropFirst(prefix.count)) }
        return ref.hasPrefix("refs/") ? nil : ref
    }

    /// Parameters as texts.
    var parameters: [String: String] {
        let members = (try? JSONValue.parse(Array(request.parameters.utf8)))?.members ?? []
        return Dictionary(
            members.map { ($0.key, $0.value.text ?? $0.value.canonical) },
            uniquingKeysWith: { _, last in last })
    }
}
