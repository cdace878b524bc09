import Compiler
import Glibc

/// What `danube login` remembers: a master, and the token for it.
struct Login {
    var address: MasterAddress
    var token: String
    /// Whether a person agreed to send the token without encryption.
    var isInsecure: Bool

    private static let mostBytes = 16 << 10
    private static let mostTokenBytes = 4096

    /// `${XDG_CONFIG_HOME:-~/.config}/danube/login.json`.
    static func path() throws(Failure) -> String {
        try Places.folder("XDG_CONFIG_HOME", ".config") + "/login.json"
    }

    /// Reads it; `nil` when nobody is logged in. Throws when others may read it.
    static func stored() throws(Failure) -> Login? {
        let path = try path()
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .environment("cannot read \(path): \(FileBytes.reason(errno))", hint: again)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .environment("\(path) is not a file", hint: again)
        }
        guard status.st_uid == geteuid() else {
            throw .environment("\(path) belongs to somebody else", hint: again)
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw .environment(
                "others may read the token in \(path): its mode is \(mode)",
                hint: "Take the token back on the master, `chmod 600` the file, log in again.")
        }
        let bytes = try FileBytes.drain(file, name: path, limit: mostBytes)
        guard let value = try? JSONValue.parse(bytes), let url = value["url"]?.text,
            let token = value["token"]?.text, isToken(token)
        else { throw .environment("\(path) is not what `danube login` writes", hint: again) }
        return Login(
            address: try MasterAddress(url), token: token,
            isInsecure: value["insecure_http"] == .bool(true))
    }

    private static let again = "Remove it, then `danube login URL`."

    /// Writes it whole or not at all; nobody else may read it at any time.
    func store() throws(Failure) {
        let path = try Self.path()
        let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        try Places.make(folder)
        let value = JSONValue.object([
            .init("insecure_http", .bool(isInsecure)), .init("token", .string(token)),
            .init("url", .string(address.text)),
        ])
        try PrivateFile.write(Array((value.canonical + "\n").utf8), to: path)
    }

    /// Forgets it. Says whether there was something to forget.
    static func remove() throws(Failure) -> Bool {
        let path = try path()
        if unlink(path) == 0 { return true }
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw .environment("cannot remove \(path): \(FileBytes.reason(errno))")
    }

    /// Whether a text can be a token: it goes into a field of a head, so it is visible ASCII.
    static func isToken(_ text: String) -> Bool {
        (1...mostTokenBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}
