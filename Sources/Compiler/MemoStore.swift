internal import CSandbox
internal import Glibc
package import PipelineIR

/// Results of earlier compilations, kept on this machine and taken again when everything that they
/// were made of is unchanged.
///
/// A key has one file with a few traces, each naming the file of its result by digest. Files are
/// written aside and renamed, so they are whole or absent, and whatever else stands in them is
/// found out by their digests: nothing needs a lock, and nothing is lost that could not be made
/// again. The folder is the user's alone.
package struct MemoStore {
    private let folder: String
    private let capacityBytes: Int

    /// How much is kept before the oldest is removed.
    package static let capacityBytes = 256 << 20
    static let mostFiles = 4096
    static let mostTraces = 8
    static let mostTraceBytes = 64 << 20

    /// The store in the user's cache folder, by XDG's rules; `nil` without a usable one.
    package init?() {
        if let cache = getenv("XDG_CACHE_HOME").map({ String(cString: $0) }), cache.hasPrefix("/") {
            self.init(folder: cache + "/danube/plans")
        } else if let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") {
            self.init(folder: home + "/.cache/danube/plans")
        } else {
            return nil
        }
    }

    /// The store in a folder, which is made when it is missing. `nil` when it cannot be made, or
    /// when others may write there.
    package init?(folder: String, capacityBytes: Int = MemoStore.capacityBytes) {
        guard Self.make(folder), Self.isPrivate(folder) else { return nil }
        self.folder = folder
        self.capacityBytes = capacityBytes
    }

    /// The result kept for a key, if it still holds for this source and context.
    package func find(
        _ key: Digest, source: any RepositorySource, context: any ContextProvider
    ) -> [UInt8]? {
        for trace in traces(of: key) where trace.holds(in: source, context) {
            let name = Self.resultName(trace.result)
            guard let bytes = read(name, most: capacityBytes) else { continue }
            guard Digest(of: bytes) == trace.result else {
                unlink(path(name))
                continue
            }
            touch(Self.traceName(key))
            touch(name)
            return bytes
        }
        return nil
    }

    /// Keeps a result with what it was made of. A result that cannot be kept is not an error.
    package func keep(
        _ key: Digest, reads: [RecordedRead], context: [(name: String, json: String)],
        python: String, result: [UInt8]
    ) {
        guard result.count <= capacityBytes / 4,
            let library = StandardLibrary.stamp(version: python)
        else { return }
        let trace = MemoTrace(
            reads: reads, context: Dictionary(context.map { ($0.name, $0.json) }) { $1 },
            library: library, result: Digest(of: result))
        var traces = traces(of: key)
        traces.removeAll {
            $0 == trace || ($0.reads == trace.reads && $0.context == trace.context)
        }
        traces.insert(trace, at: 0)
        let encoded = MemoTrace.encode(Array(traces.prefix(Self.mostTraces)))
        guard encoded.count <= Self.mostTraceBytes,
            write(Self.resultName(trace.result), result), write(Self.traceName(key), encoded)
        else { return }
        evict()
    }

    private func traces(of key: Digest) -> [MemoTrace] {
        guard let bytes = read(Self.traceName(key), most: Self.mostTraceBytes) else { return [] }
        return (try? MemoTrace.decode(bytes)) ?? []
    }

    private static func traceName(_ key: Digest) -> String { key.hex + ".trace" }
    private static func resultName(_ result: Digest) -> String { result.hex + ".result" }
    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    // MARK: Files

    private func read(_ name: String, most: Int) -> [UInt8]? {
        let file = open(path(name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = danube_status()
        guard danube_fstatus(file, &status) == 0, status.kind == CChar(UInt8(ascii: "f")),
            status.size <= most
        else { return nil }
        let size = Int(status.size)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = danube_pread(
                    file, buffer.baseAddress.map { $0 + count }, size - count, Int64(count))
                if got <= 0 { break }
                count += got
            }
        }
    }

    private func write(_ name: String, _ bytes: [UInt8]) -> Bool {
        let aside = path("\(name).\(getpid()).\(danube_now()).new")
        let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return false }
        let error = bytes.withUnsafeBytes { danube_write_all(file, $0.baseAddress, $0.count) }
        close(file)
        // No sync: what a power cut tears is found out by its digest.
        if error == 0, rename(aside, path(name)) == 0 { return true }
        unlink(aside)
        return false
    }

    /// Marks a file as used; once an hour is enough to know which are the oldest.
    private func touch(_ name: String) {
        var status = stat()
        guard lstat(path(name), &status) == 0 else { return }
        if time(nil) - status.st_mtim.tv_sec > 3600 {
            utimensat(AT_FDCWD, path(name), nil, AT_SYMLINK_NOFOLLOW)
        }
    }

    /// Removes the files that were not used for longest until the rest is well within the bounds.
    private func evict() {
        let root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard root >= 0 else { return }
        defer { close(root) }
        var text: UnsafeMutablePointer<CChar>?
        var length = 0
        guard danube_list(root, nil, 1 << 20, &text, &length) > 0, let text else { return }
        defer { free(text) }
        var files: [(name: String, size: Int, used: timespec)] = []
        var total = 0
        let names = UnsafeRawBufferPointer(start: text, count: length - 1)
        for name in names.split(separator: 0) {
            let name = String(decoding: name, as: UTF8.self)
            var status = stat()
            guard fstatat(root, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            files.append((name, Int(status.st_size), status.st_mtim))
            total += Int(status.st_size)
        }
        guard total > capacityBytes || files.count > Self.mostFiles else { return }
        files.sort { ($0.used.tv_sec, $0.used.tv_nsec) < ($1.used.tv_sec, $1.used.tv_nsec) }
        var count = files.count
        for file in files {
            if total <= capacityBytes / 4 * 3, count <= Self.mostFiles / 4 * 3 { break }
            unlinkat(root, file.name, 0)
            total -= file.size
            count -= 1
        }
    }

    private static func make(_ folder: String) -> Bool {
        if access(folder, F_OK) == 0 { return true }
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            if mkdir(path, 0o700) != 0, errno != EEXIST { return false }
        }
        return true
    }

    private static func isPrivate(_ folder: String) -> Bool {
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return status.st_uid == geteuid() && status.st_mode & 0o022 == 0
    }
}
