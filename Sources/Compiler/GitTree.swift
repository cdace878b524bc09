internal import Glibc

/// The files of one commit, read from git's objects.
package final class GitTree: RepositorySource {
    /// The commit's id, 40 hexadecimal digits.
    package let commit: String
    /// `git:` and the id of the commit's tree.
    package let identity: String
    private let repository: GitRepository
    private let root: GitID

    /// Opens the commit that `revision` names in the repository whose `.git` is in `folder`.
    package init(_ folder: String, revision: String) throws(GitError) {
        repository = try GitRepository(folder)
        let id = try repository.resolve(revision)
        root = try repository.tree(of: id)
        commit = id.hex
        // Trees and blobs are named by their content, so that the tree alone tells all.
        identity = "git:" + root.hex
    }

    /// Reads a blob of at most `Limits.fileBytes`.
    package func read(_ path: String) -> ReadResult {
        do {
            switch try find(path) {
            case .absent: return .absent
            case .failed(let failure): return .failed(failure)
            case .folder: return .failed(SourcePath.isFolder)
            case .file(let id, _):
                let size = try repository.size(of: id)
                if size > Limits.fileBytes { return .failed(SourcePath.tooLarge) }
                return .content(try repository.content(of: id, size: size))
            }
        } catch { return .failed(Self.failure(error)) }
    }

    /// Looks at what a path leads to.
    package func stat(_ path: String) -> StatResult {
        do {
            switch try find(path) {
            case .absent: return .absent
            case .failed(let failure): return .failed(failure)
            case .folder: return .folder
            case .file(let id, let mode):
                let size = try repository.size(of: id)
                return .file(size: Int64(size), executable: mode & 0o100 != 0)
            }
        } catch { return .failed(Self.failure(error)) }
    }

    /// Lists a tree of at most `Limits.listingNames` names.
    package func list(_ path: String) -> ListResult {
        do {
            switch try find(path) {
            case .absent: return .absent
            case .failed(let failure): return .failed(failure)
            case .file: return .failed(SourcePath.notFolder)
            case .folder(nil): return .names([])
            case .folder(let tree?):
                guard let blocks = try repository.names(in: tree, most: Limits.listingNames) else {
                    return .failed(SourcePath.tooManyNames)
                }
                let names = blocks.compactMap { String(validating: $0, as: UTF8.self) }
                return names.count == blocks.count ? .names(names) : .failed(SourcePath.badName)
            }
        } catch { return .failed(Self.failure(error)) }
    }

    private enum Found {
        case file(GitID, mode: UInt32)
        /// A submodule is a folder whose content is not here.
        case folder(GitID?)
        case absent
        case failed(SourceFailure)
    }

    /// Follows a path and the links on it, as the kernel would, without leaving the tree.
    private func find(_ path: String) throws(GitError) -> Found {
        guard SourcePath.isNormal(path) else { return .failed(SourcePath.outside) }
        // What is still to be followed, the next component last.
        var left = Self.components(path)
        var folders = [root]
        var links = 0
        while let name = left.popLast() {
            if name == "." { continue }
            if name == ".." {
                if folders.count == 1 { return .failed(SourcePath.outside) }
                folders.removeLast()
                continue
            }
            guard let tree = folders.last, let entry = try repository.entry(name, in: tree) else {
                return .absent
            }
            switch entry.mode & 0o170000 {
            case 0o040000: folders.append(entry.id)
            case 0o160000: return left.allSatisfy { $0 == "." } ? .folder(nil) : .absent
            case 0o120000:
                links += 1
                if links > Self.mostLinks { return .failed(SourcePath.tooManyLinks) }
                guard let target = try target(of: entry.id) else {
                    return .failed(SourcePath.outside)
                }
                left += Self.components(target)
            case 0o100000: return left.isEmpty ? .file(entry.id, mode: entry.mode) : .absent
            default: return .failed(SourcePath.notRegular)
            }
            if left.count > Limits.pathBytes { return .failed(SourcePath.tooManyLinks) }
        }
        return .folder(folders.last)
    }

    /// Where a link leads; `nil` when it is no relative path.
    private func target(of link: GitID) throws(GitError) -> String? {
        let size = try repository.size(of: link)
        guard size > 0, size <= Limits.pathBytes else { return nil }
        let bytes = try repository.content(of: link, size: size)
        guard bytes.first != UInt8(ascii: "/"), !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func components(_ path: String) -> [String] {
        path.split(separator: "/").reversed().map(String.init)
    }

    private static func failure(_ error: GitError) -> SourceFailure {
        SourceFailure(errno: EIO, message: "git: \(error)")
    }

    private static let mostLinks = 40
}
