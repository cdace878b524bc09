internal import Glibc

internal import struct Executor.JobID

/// What the master puts into the folder of a job before an engine is started there.
enum JobFiles {
    /// Makes the folder with an order and an empty journal. It waits for the disk.
    static func prepare(_ order: EngineOrder, in folder: String) throws(EngineError) {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw .system("make", path: folder, errno: errno)
        }
        try write(order.encoded(), to: "\(folder)/\(EngineOrder.name)")
        let journal = "\(folder)/\(JournalReader.name)"
        let file = open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system("make", path: journal, errno: errno) }
        close(file)
    }

    /// The plan that an engine compiled; `nil` when there is none of a bearable size.
    static func plan(in folder: String) -> [UInt8]? {
        let file = open("\(folder)/plan", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        guard size >= 0, size <= MasterDatabase.mostPlanBytes, lseek(file, 0, SEEK_SET) == 0 else {
            return nil
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = read(file, buffer.baseAddress.map { $0 + count }, size - count)
                if got <= 0 { break }
                count += got
            }
        }
        return bytes.count == size ? bytes : nil
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(EngineError) {
        let aside = path + ".new"
        let file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system("write", path: aside, errno: errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes {
                Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let code = errno
                close(file)
                throw .system("write", path: aside, errno: code)
            }
            written += count
        }
        close(file)
        guard rename(aside, path) == 0 else { throw .system("write", path: path, errno: errno) }
    }
}
