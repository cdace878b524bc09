internal import CSandbox
internal import Glibc

/// Both ends of a pipe, which are closed unless they are taken.
final class Pipe {
    private(set) var reading: Int32
    private(set) var writing: Int32

    /// Makes a pipe whose ends no other program inherits.
    init() throws(RunnerError) {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        let status = danube_pipe(&ends.reading, &ends.writing)
        if status < 0 { throw .system("pipe2", errno: -status) }
        (reading, writing) = ends
    }

    deinit {
        if reading >= 0 { close(reading) }
        if writing >= 0 { close(writing) }
    }

    /// Closes the end to write to, so that the other one sees when all writers are gone.
    func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// Has reads fail where there is nothing yet. Writers, who may be other programs, still wait.
    func readWithoutWaiting() throws(RunnerError) {
        if fcntl(reading, F_SETFL, O_NONBLOCK) != 0 { throw .system("fcntl", errno: errno) }
    }

    /// Hands the end to write to to the caller.
    func takeWriting() -> Int32 {
        defer { writing = -1 }
        return writing
    }

    /// Hands the end to read from to the caller.
    func takeReading() -> Int32 {
        defer { reading = -1 }
        return reading
    }
}
