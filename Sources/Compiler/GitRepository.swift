internal import CGit
internal import Glibc

/// Why a git repository cannot be read.
package enum GitError: Error, Equatable {
    /// libgit2 is not installed, or cannot be used.
    case unavailable(String)
    case noRepository(String)
    /// A revision that names no commit.
    case noRevision(String, String)
    case failed(String)
}

/// The id of a git object.
struct GitID: Sendable, Hashable {
    var raw: danube_git_id

    init(raw: danube_git_id) { self.raw = raw }

    /// 40 hexadecimal digits.
    var hex: String {
        withUnsafeBytes(of: raw.bytes) { bytes in
            String(unsafeUninitializedCapacity: 40) { text in
                for (index, byte) in bytes.enumerated() {
                    for (place, digit) in [byte >> 4, byte & 15].enumerated() {
                        text[index * 2 + place] = digit + UInt8(ascii: digit < 10 ? "0" : "W")
                    }
                }
                return bytes.count * 2
            }
        }
    }

    static func == (a: GitID, b: GitID) -> Bool {
        withUnsafeBytes(of: a.raw.bytes) { a in
            withUnsafeBytes(of: b.raw.bytes) { a.elementsEqual($0) }
        }
    }

    func hash(into hasher: inout Hasher) {
        withUnsafeBytes(of: raw.bytes) { hasher.combine(bytes: $0) }
    }
}

/// A git repository, opened for reading.
///
/// SAFETY: libgit2's objects may be used by several threads as long as one does not free them, and
/// the only free is in `deinit`, when nobody refers to the repository any more.
final class GitRepository: @unchecked Sendable {
    private let handle: OpaquePointer

    /// Opens the repository whose `.git` is in `folder`, or that `folder` itself is.
    init(_ folder: String) throws(GitError) {
        var opened: OpaquePointer?
        switch danube_git_open(folder, &opened) {
        case 0: break
        case Int32(DANUBE_GIT_UNAVAILABLE): throw .unavailable(Self.problem)
        default: throw .noRepository(Self.problem)
        }
        guard let opened else { throw .noRepository(folder) }
        handle = opened
    }

    deinit { danube_git_close(handle) }

    /// The version of libgit2.
    static func libraryVersion() throws(GitError) -> String {
        var text = [CChar](repeating: 0, count: 32)
        guard danube_git_version(&text, text.count) == 0 else { throw .unavailable(problem) }
        return Self.text(text)
    }

    /// The commit that a revision names.
    func resolve(_ revision: String) throws(GitError) -> GitID {
        guard !revision.utf8.contains(0), revision.utf8.count <= 1024 else {
            throw .noRevision(revision, "not a revision")
        }
        var id = danube_git_id()
        switch danube_git_resolve(handle, revision, &id) {
        case 0: return GitID(raw: id)
        case Int32(DANUBE_GIT_ABSENT): throw .noRevision(revision, Self.problem)
        default: throw .failed(Self.problem)
        }
    }

    /// The tree of a commit.
    func tree(of commit: GitID) throws(GitError) -> GitID {
        var commit = commit.raw
        var id = danube_git_id()
        guard danube_git_tree(handle, &commit, &id) == 0 else { throw .failed(Self.problem) }
        return GitID(raw: id)
    }

    /// The first parent of a commit; `nil` for the first commit.
    func parent(of commit: GitID) throws(GitError) -> GitID? {
        var commit = commit.raw
        var id = danube_git_id()
        switch danube_git_parent(handle, &commit, &id) {
        case 0: return GitID(raw: id)
        case Int32(DANUBE_GIT_ABSENT): return nil
        default: throw .failed(Self.problem)
        }
    }

    /// When a commit was made, in seconds since 1970.
    func time(of commit: GitID) throws(GitError) -> Int64 {
        var commit = commit.raw
        var seconds: Int64 = 0
        guard danube_git_time(handle, &commit, &seconds) == 0 else { throw .failed(Self.problem) }
        return seconds
    }

    /// The best common ancestor; `nil` when two commits have none.
    func mergeBase(_ one: GitID, _ other: GitID) throws(GitError) -> GitID? {
        var one = one.raw
        var other = other.raw
        var id = danube_git_id()
        switch danube_git_merge_base(handle, &one, &other, &id) {
        case 0: return GitID(raw: id)
        case Int32(DANUBE_GIT_ABSENT): return nil
        default: throw .failed(Self.problem)
        }
    }

    /// A name in a tree: its id and git's mode.
    func entry(_ name: String, in tree: GitID) throws(GitError) -> (id: GitID, mode: UInt32)? {
        var tree = tree.raw
        var entry = danube_git_entry()
        switch danube_git_entry(handle, &tree, name, &entry) {
        case 0: return (GitID(raw: entry.id), entry.mode)
        case Int32(DANUBE_GIT_ABSENT): return nil
        default: throw .failed(Self.problem)
        }
    }

    /// All names in a tree as blocks of bytes, sorted; `nil` when they are more than is accepted.
    func names(in tree: GitID, most: Int) throws(GitError) -> [[UInt8]]? {
        var tree = tree.raw
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        let count = danube_git_names(handle, &tree, most, &text, &length)
        defer { free(text) }
        if count == Int32(DANUBE_GIT_TOO_LARGE) { return nil }
        if count < 0 { throw .failed(Self.problem) }
        return Self.split(text, length)
    }

    /// Paths that differ between two trees, of both sides, sorted; all of `new` without an `old`.
    func changes(from old: GitID?, to new: GitID, most: Int) throws(GitError) -> [[UInt8]] {
        var new = new.raw
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        let count: Int32
        if var old = old?.raw {
            count = danube_git_changes(handle, &old, &new, most, &text, &length)
        } else {
            count = danube_git_changes(handle, nil, &new, most, &text, &length)
        }
        defer { free(text) }
        if count < 0 { throw .failed(Self.problem) }
        return Self.split(text, length)
    }

    /// The size of a blob.
    func size(of blob: GitID) throws(GitError) -> Int {
        var blob = blob.raw
        var size: UInt64 = 0
        guard danube_git_size(handle, &blob, &size) == 0 else { throw .failed(Self.problem) }
        return Int(clamping: size)
    }

    /// The content of a blob of that size.
    func content(of blob: GitID, size: Int) throws(GitError) -> [UInt8] {
        var blob = blob.raw
        var result: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            result = danube_git_read(handle, &blob, buffer.baseAddress, size)
            count = result == 0 ? size : 0
        }
        if result != 0 { throw .failed(Self.problem) }
        return bytes
    }

    /// A tag on a commit; the last by name where there are several.
    func tag(on commit: GitID) -> String? {
        var commit = commit.raw
        var name = [CChar](repeating: 0, count: 1024)
        guard danube_git_tag(handle, &commit, &name, name.count) == 0 else { return nil }
        return Self.text(name)
    }

    private static var problem: String { String(cString: danube_git_problem()) }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func split(_ text: UnsafeMutablePointer<CChar>?, _ length: Int) -> [[UInt8]] {
        guard let text, length > 0 else { return [] }
        return UnsafeRawBufferPointer(start: text, count: length - 1)
            .split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    }
}
