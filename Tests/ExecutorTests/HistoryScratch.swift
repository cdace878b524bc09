import Glibc

/// A folder for one test, removed with everything in it when the test is over.
final class HistoryScratch {
    let path: String

    init() {
        var template = Array("/tmp/danube-history-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("no temporary folder") }
        path = template.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
    }

    deinit { Self.remove(path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Names in a folder below, sorted.
    func names(_ folder: String = "") -> [String] {
        Self.list(folder.isEmpty ? path : file(folder)).sorted()
    }

    private static func list(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { found.append(name) }
        }
        return found
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        guard let stream = fopen(file(name), "w") else { fatalError("cannot write \(name)") }
        fwrite(bytes, 1, bytes.count, stream)
        fclose(stream)
    }

    func read(_ name: String) -> [UInt8] {
        guard let stream = fopen(file(name), "r") else { return [] }
        defer { fclose(stream) }
        var found: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let got = fread(&chunk, 1, chunk.count, stream), got > 0 {
            found += chunk[..<got]
        }
        return found
    }

    private static func remove(_ path: String) {
        if Glibc.remove(path) == 0 || errno != ENOTEMPTY { return }
        for name in list(path) { remove("\(path)/\(name)") }
        rmdir(path)
    }
}
