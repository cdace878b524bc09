internal import Glibc

/// Where the evaluator's program is.
package enum BridgeLocation {
    /// The file's name.
    package static let name = "danube-pybridge"

    /// Beside the running program, or where `DANUBE_PYBRIDGE` says. Throws `notFound`.
    package static func find() throws(BridgeError) -> String {
        if let given = getenv("DANUBE_PYBRIDGE") {
            let path = String(cString: given)
            if isProgram(path) { return path }
            throw .notFound([path])
        }
        let folder = programFolder() ?? "."
        let candidates = ["\(folder)/\(name)", "\(folder)/../libexec/danube/\(name)"]
        for path in candidates where isProgram(path) { return path }
        throw .notFound(candidates)
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && access(path, X_OK) == 0
    }

    private static func programFolder() -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink("/proc/self/exe", start, buffer.count)
            guard length > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<length])
            let path = String(decoding: bytes, as: UTF8.self)
            return path.lastIndex(of: "/").map { String(path[..<$0]) }
        }
    }
}
