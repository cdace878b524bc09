internal import Crypto
internal import Glibc
internal import PipelineIR

/// The file of the keys: `secret.key` in the data folder, mode 0600.
///
/// Lines of ASCII: `danube secret keys 1`; `current ID`; `key ID` and 64 hexadecimal digits, once
/// for each key; at last `sha256` and the digest of all the lines before, which tells a damaged
/// file from a wrong one. It is written aside, synced and renamed, so that it is whole or the one
/// before. All functions block on the disk.
package struct SecretKeyFile: Sendable {
    /// Where it is.
    package let path: String
    private let folder: String

    /// Its name in a data folder.
    static let fileName = "secret.key"
    private static let title = "danube secret keys "
    private static let version = "1"
    private static let mostBytes = 8192

    /// The key file of a data folder, which must be there.
    package init(dataFolder: String) {
        folder = dataFolder
        path = "\(dataFolder)/\(Self.fileName)"
    }

    /// A copy of such a file, elsewhere.
    init(path: String) {
        self.path = path
        folder = DurableFile.folder(of: path)
    }

    /// Reads the keys; makes the file with a new key when there is none.
    ///
    /// The caller holds the lock of the data folder: what another writer left aside is removed.
    package func open() throws(SecretError) -> SecretKeys {
        try removeLeftovers()
        if let keys = try read() { return keys }
        let keys = SecretKeys()
        try write(keys, isFirst: true)
        return keys
    }

    /// Reads the keys; `nil` when there is no file.
    func read() throws(SecretError) -> SecretKeys? {
        var file: BoundedFile
        do {
            file = try BoundedFile.read(path, most: Self.mostBytes, followsLink: false)
        } catch {
            switch error {
            case .system(ENOENT): return nil
            case .system(let number): throw system("read", number)
            case .notRegular: throw format("it is no regular file.")
            case .tooLarge: throw format("it is too large for a key file.")
            }
        }
        defer { file.overwrite() }
        guard file.owner == geteuid() else {
            throw .keyFileOwner(path: path, owner: file.owner)
        }
        guard file.mode & 0o7177 == 0 else {
            throw .keyFileMode(path: path, mode: file.mode)
        }
        return try parse(file.bytes)
    }

    /// Replaces the file.
    func write(_ keys: SecretKeys, isFirst: Bool = false) throws(SecretError) {
        var bytes = text(of: keys)
        defer { bytes.withUnsafeMutableBytes { SecretValue.overwrite($0) } }
        let aside = "\(path).\(SecretKeyID.random()).new"
        let file = Glibc.open(
            aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw system("write", errno) }
        var failure: Int32 = 0
        // A umask may have taken even the owner's bits.
        if fchmod(file, 0o600) != 0 { failure = errno }
        if failure == 0 { failure = Self.writeAll(bytes, to: file) }
        if failure == 0, fsync(file) != 0 { failure = errno }
        if close(file) != 0, failure == 0 { failure = errno }
        if failure == 0 {
            // The first file never replaces another: what is sealed with that would be lost.
            let done = isFirst ? link(aside, path) : rename(aside, path)
            if done != 0 { failure = errno }
        }
        if failure != 0 || isFirst { unlink(aside) }
        if failure != 0 { throw system("write", failure) }
        try syncFolder()
    }

    private func syncFolder() throws(SecretError) {
        let file = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw system("sync the folder of", errno) }
        defer { close(file) }
        if fsync(file) != 0 { throw system("sync the folder of", errno) }
    }

    /// A crash between the writing and the rename leaves a file with keys.
    private func removeLeftovers() throws(SecretError) {
        guard let entries = opendir(folder) else { throw system("look beside", errno) }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix("secret.key."), name.hasSuffix(".new") else { continue }
            unlink("\(folder)/\(name)")
        }
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32) -> Int32 {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes { buffer in
                Glibc.write(file, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if wrote < 0, errno == EINTR { continue }
            if wrote <= 0 { return wrote < 0 ? errno : EIO }
            done += wrote
        }
        return 0
    }

    // MARK: the format

    private func text(of keys: SecretKeys) -> [UInt8] {
        // Enough for all, so that no copy of the keys is left where the array was before it grew.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.mostBytes)
        bytes += Array("\(Self.title)\(Self.version)\ncurrent \(keys.current)\n".utf8)
        for id in keys.ids {
            guard let key = keys[id] else { continue }
            bytes += Array("key \(id) ".utf8)
            key.withUnsafeBytes { raw in
                for byte in raw {
                    bytes.append(Self.digit(byte >> 4))
                    bytes.append(Self.digit(byte & 15))
                }
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        bytes += Array("sha256 \(Digest(of: bytes).hex)\n".utf8)
        return bytes
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private func parse(_ bytes: [UInt8]) throws(SecretError) -> SecretKeys {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let first = lines.first, first.starts(with: Array(Self.title.utf8)) else {
            throw format("it does not begin with `\(Self.title)`.")
        }
        guard first.dropFirst(Self.title.utf8.count).elementsEqual(Self.version.utf8) else {
            throw format("it is of another version than \(Self.version).")
        }
        // The last line ends with a newline, so that what follows it is empty.
        guard lines.count >= 5, lines[lines.count - 1].isEmpty else {
            throw format("it is cut off.")
        }
        let sum = lines[lines.count - 2]
        var hasher = DigestHasher()
        bytes.withUnsafeBytes { all in
            hasher.update(UnsafeRawBufferPointer(rebasing: all[..<sum.startIndex]))
        }
        guard sum.elementsEqual("sha256 \(hasher.finalize().hex)".utf8) else {
            throw format("its digest does not fit: it is damaged.")
        }
        var keys: [SecretKeyID: SymmetricKey] = [:]
        for line in lines[2..<lines.count - 2] {
            let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].elementsEqual("key".utf8),
                let id = SecretKeyID(String(decoding: parts[1], as: UTF8.self)),
                keys[id] == nil, let key = Self.key(parts[2])
            else { throw format("it has a line that is no key.") }
            keys[id] = key
        }
        let mark = Array("current ".utf8)
        guard lines[1].starts(with: mark),
            let current = SecretKeyID(
                String(decoding: lines[1].dropFirst(mark.count), as: UTF8.self)),
            let result = SecretKeys(current: current, keys: keys)
        else { throw format("it does not have the key that it calls current.") }
        return result
    }

    private static func key(_ digits: ArraySlice<UInt8>) -> SymmetricKey? {
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        defer { bytes.withUnsafeMutableBytes { SecretValue.overwrite($0) } }
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case _ where digit.isDigit: value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return SymmetricKey(data: bytes)
    }

    private func format(_ problem: String) -> SecretError {
        .keyFileFormat(path: path, problem: problem)
    }

    private func system(_ action: String, _ number: Int32) -> SecretError {
        .keyFileSystem(path: path, action: action, reason: BoundedFile.reason(number))
    }
}
