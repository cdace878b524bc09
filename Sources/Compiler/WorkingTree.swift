internal import CSandbox
internal import Glibc

/// The files of a folder on this machine, read beneath it only.
///
/// The kernel resolves every path (`openat2` with `RESOLVE_BENEATH`), so neither `..` nor a link
/// that is swapped at the wrong moment leads out.
package final class WorkingTree: RepositorySource {
    /// `tree:` and the folder's real path.
    package let identity: String
    private let root: Int32
    /// Where the folder really lies, which is how links to `.git` are found out.
    private let place: String

    /// Opens a folder. Throws `BridgeError.io` when it cannot be opened.
    package init(_ folder: String) throws(BridgeError) {
        root = danube_open_root(folder)
        if root < 0 { throw .io("open \(folder)", errno: -root) }
        guard let place = Self.place(of: root) else {
            close(root)
            throw .io("read /proc/self/fd for \(folder)", errno: ENOENT)
        }
        self.place = place
        identity = "tree:" + place
    }

    deinit { close(root) }

    /// The folder's real path.
    package var path: String { place }

    /// Reads a regular file of at most `Limits.fileBytes`.
    package func read(_ path: String) -> ReadResult {
        let file: Int32
        switch open(path, reading: true) {
        case .descriptor(let descriptor): file = descriptor
        case .absent: return .absent
        case .failed(let failure): return .failed(failure)
        }
        defer { close(file) }
        var status = danube_status()
        guard danube_fstatus(file, &status) == 0 else { return .failed(Self.failure(EIO)) }
        if Self.kind(status) == "d" { return .failed(SourcePath.isFolder) }
        if Self.kind(status) != "f" { return .failed(SourcePath.notRegular) }
        if status.size > Limits.fileBytes { return .failed(SourcePath.tooLarge) }
        return Self.content(of: file, expected: Int(status.size))
    }

    /// Looks at what a path leads to.
    package func stat(_ path: String) -> StatResult {
        let file: Int32
        switch open(path, reading: false) {
        case .descriptor(let descriptor): file = descriptor
        case .absent: return .absent
        case .failed(let failure): return .failed(failure)
        }
        defer { close(file) }
        var status = danube_status()
        guard danube_fstatus(file, &status) == 0 else { return .failed(Self.failure(EIO)) }
        switch Self.kind(status) {
        case "f": return .file(size: status.size, executable: status.executable != 0)
        case "d": return .folder
        default: return .failed(SourcePath.notRegular)
        }
    }

    /// Lists a folder of at most `Limits.listingNames` names.
    package func list(_ path: String) -> ListResult {
        let folder: Int32
        switch open(path, reading: true) {
        case .descriptor(let descriptor): folder = descriptor
        case .absent: return .absent
        case .failed(let failure): return .failed(failure)
        }
        defer { close(folder) }
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        let count = danube_list(folder, ".git", Limits.listingNames, &text, &length)
        defer { free(text) }
        switch -count {
        case EOVERFLOW: return .failed(SourcePath.tooManyNames)
        case ENOTDIR: return .failed(SourcePath.notFolder)
        case 1...: return .failed(Self.failure(-count))
        default: break
        }
        guard let names = Self.names(text, length: length, count: Int(count)) else {
            return .failed(SourcePath.badName)
        }
        return .names(names)
    }

    /// When a file was last changed, and its size.
    struct Timestamp: Equatable {
        var seconds: Int64
        var nanoseconds: Int64
        var size: Int64
    }

    /// The time and size of a regular file.
    func timestamp(_ path: String) -> Timestamp? {
        guard case .descriptor(let file) = open(path, reading: false) else { return nil }
        defer { close(file) }
        var status = danube_status()
        guard danube_fstatus(file, &status) == 0, Self.kind(status) == "f" else { return nil }
        return Timestamp(
            seconds: status.modified_seconds, nanoseconds: status.modified_nanoseconds,
            size: status.size)
    }

    private enum Opened {
        case descriptor(Int32)
        case absent
        case failed(SourceFailure)
    }

    private func open(_ path: String, reading: Bool) -> Opened {
        guard SourcePath.isNormal(path) else { return .failed(SourcePath.outside) }
        if SourcePath.isHidden(path) { return .absent }
        let name = path.isEmpty ? "." : path
        var file = danube_open_beneath(root, name, 0, reading ? 1 : 0)
        if file == -ELOOP {
            // There is a link on the way: it may be followed unless it leads into `.git`.
            file = danube_open_beneath(root, name, 1, reading ? 1 : 0)
            if file >= 0, !isVisible(file) {
                close(file)
                return .absent
            }
        }
        switch -file {
        case ENOENT, ENOTDIR: return .absent
        case EXDEV: return .failed(SourcePath.outside)
        case ELOOP: return .failed(SourcePath.tooManyLinks)
        case ENXIO: return .failed(SourcePath.notRegular)
        case 1...: return .failed(Self.failure(-file))
        default: return .descriptor(file)
        }
    }

    private func isVisible(_ file: Int32) -> Bool {
        guard let found = Self.place(of: file) else { return false }
        if found == place { return true }
        let prefix = place == "/" ? place : place + "/"
        // Anything else was renamed or deleted meanwhile.
        guard found.hasPrefix(prefix) else { return false }
        return !SourcePath.isHidden(found.dropFirst(prefix.count))
    }

    private static func place(of file: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let length = danube_where(file, buffer.baseAddress, buffer.count)
            guard length > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<length])
            return String(validating: bytes, as: UTF8.self)
        }
    }

    /// Reads a file that may change meanwhile; one that grows beyond the limit is refused.
    private static func content(of file: Int32, expected: Int) -> ReadResult {
        var error: Int32 = 0
        // One byte more than expected, so that the end is seen without growing.
        var capacity = expected + 1
        while true {
            let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
                while count < buffer.count {
                    let got = danube_pread(
                        file, buffer.baseAddress.map { $0 + count }, buffer.count - count,
                        Int64(count))
                    if got <= 0 {
                        error = Int32(-got)
                        break
                    }
                    count += got
                }
            }
            if error != 0 { return .failed(failure(error)) }
            if bytes.count < capacity { return .content(bytes) }
            if capacity > Limits.fileBytes { return .failed(SourcePath.tooLarge) }
            capacity = min(max(capacity * 2, 65536), Limits.fileBytes + 1)
        }
    }

    private static func names(
        _ text: UnsafeMutablePointer<CChar>?, length: Int, count: Int
    ) -> [String]? {
        guard let text, length > 0 else { return [] }
        let bytes = UnsafeRawBufferPointer(start: text, count: length)
        var names: [String] = []
        names.reserveCapacity(count)
        var start = 0
        for end in bytes.indices where bytes[end] == 0 {
            let name = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            guard let name = String(validating: name, as: UTF8.self) else { return nil }
            names.append(name)
            start = end + 1
        }
        return names
    }

    private static func kind(_ status: danube_status) -> Character {
        Character(UnicodeScalar(UInt8(bitPattern: status.kind)))
    }

    private static func failure(_ error: Int32) -> SourceFailure {
        SourceFailure(errno: error, message: errorText(error))
    }
}

/// What the C library says about an error number.
func errorText(_ error: Int32) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, strerror_r(error, start, buffer.count - 1) == 0
        else { return "error \(error)" }
        return String(cString: start)
    }
}
