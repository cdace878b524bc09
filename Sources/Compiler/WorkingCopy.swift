internal import Glibc

/// The git repository that a folder is in, and what is checked out.
package struct WorkingCopy: Sendable {
    /// The folder that has the `.git`.
    package let folder: String
    /// The branch, without `refs/heads/`; `nil` when HEAD is on none.
    package let branch: String?
    /// The commit's id; `nil` before the first.
    package let commit: String?

    /// Finds it at or above a folder; `nil` when there is none.
    package init?(around folder: String) {
        let root = Repository.root(around: folder)
        guard access(root + "/.git", F_OK) == 0 else { return nil }
        self.folder = root
        let head = GitHead(root)
        branch = head?.branch
        commit = head?.commit
    }

    /// The id of the commit that a revision names. Throws when it names none, or git's library is
    /// missing.
    package func commit(of revision: String) throws(Repository.OpenError) -> String {
        if GitHead.isID(revision) { return revision }
        do throws(GitError) {
            return try GitRepository(folder).resolve(revision).hex
        } catch {
            throw Repository.OpenError(diagnostic: Repository.words(error, folder))
        }
    }

    /// Whether a text is the full id of a commit.
    package static func isCommit(_ text: String) -> Bool { GitHead.isID(text) }
}
