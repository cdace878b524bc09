internal import Glibc

/// What a working copy's HEAD says, read from git's own files.
///
/// A plan of a working copy nearly always needs only this, so libgit2 is not loaded for it. The
/// files are those of `gitrepository-layout(5)`; a repository of another form gives nothing here
/// and is left to libgit2.
struct GitHead: Equatable {
    /// The branch, without `refs/heads/`; `nil` when HEAD is on none.
    var branch: String?
    /// The commit; `nil` before the first.
    var commit: String?

    /// Reads the HEAD of the repository whose `.git` is in `folder`.
    init?(_ folder: String) {
        guard let directory = GitFolder(folder), let head = directory.line("HEAD") else {
            return nil
        }
        guard head.hasPrefix("ref: ") else {
            guard Self.isID(head) else { return nil }
            commit = head
            return
        }
        let name = String(head.dropFirst(5))
        if name.hasPrefix("refs/heads/") { branch = String(name.dropFirst(11)) }
        commit = directory.commit(of: name)
    }

    /// Whether a text is a full id.
    static func isID(_ text: String) -> Bool {
        text.utf8.count == 40
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// The files of a repository: `.git` itself, or where a worktree's `.git` file leads.
struct GitFolder {
    /// Where HEAD is.
    private let own: String
    /// Where branches and the configuration are; another folder for a worktree.
    private let shared: String

    /// Finds the files of the repository whose `.git` is in `folder`.
    init?(_ folder: String) {
        let place = folder + "/.git"
        if let text = Self.read(place), text.hasPrefix("gitdir: ") {
            let target = text.dropFirst(8).prefix { $0 != "\n" && $0 != "\r" }
            own = target.hasPrefix("/") ? String(target) : "\(folder)/\(target)"
        } else {
            own = place
        }
        guard access(own + "/HEAD", R_OK) == 0 else { return nil }
        if let common = Self.read(own + "/commondir")?.prefix(while: { $0 != "\n" }) {
            shared = common.hasPrefix("/") ? String(common) : "\(own)/\(common)"
        } else {
            shared = own
        }
    }

    /// The first line of one of the repository's files.
    func line(_ name: String) -> String? {
        Self.read("\(own)/\(name)").map { String($0.prefix { $0 != "\n" && $0 != "\r\n" }) }
    }

    /// The commit that a reference names, be it loose or packed.
    func commit(of reference: String) -> String? {
        guard !reference.contains(".."), reference.hasPrefix("refs/") else { return nil }
        if let text = Self.read("\(shared)/\(reference)") {
            let id = String(text.prefix(40))
            return GitHead.isID(id) ? id : nil
        }
        guard let packed = Self.read("\(shared)/packed-refs") else { return nil }
        let wanted = " \(reference)"
        for line in packed.utf8.split(separator: UInt8(ascii: "\n")) {
            guard line.count == 40 + wanted.utf8.count,
                line.suffix(wanted.utf8.count)
                    .elementsEqual(wanted.utf8)
            else { continue }
            let id = String(Substring(line.prefix(40)))
            return GitHead.isID(id) ? id : nil
        }
        return nil
    }

    /// What a symbolic reference refers to.
    func symbolic(_ reference: String) -> String? {
        guard let text = Self.read("\(shared)/\(reference)"), text.hasPrefix("ref: ") else {
            return nil
        }
        return String(text.dropFirst(5).prefix { $0 != "\n" && $0 != "\r\n" })
    }

    /// The address of the remote `origin`.
    var origin: String? {
        guard let text = Self.read(shared + "/config") else { return nil }
        var isOrigin = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[") {
                isOrigin = line.hasPrefix("[remote \"origin\"]")
            } else if isOrigin, line.hasPrefix("url"), let sign = line.firstIndex(of: "=") {
                let value = line[line.index(after: sign)...].drop { $0 == " " || $0 == "\t" }
                return String(value)
            }
        }
        return nil
    }

    /// Reads a small file; `nil` for anything else.
    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = Glibc.stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= mostBytes
        else { return nil }
        let size = Int(status.st_size)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, size, 0))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let mostBytes = 64 << 20
}
