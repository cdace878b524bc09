import Executor
import Glibc

/// How a run is shown, as asked for on the command line.
enum WatchChoice {
    /// A tree on a terminal, lines elsewhere.
    case auto
    case lines
    case json
    case quiet

    /// Makes the watch on standard output. `root` is the folder of the danubefile.
    func watch(
        colour: Terminal.ColourChoice, root: String, explains: Bool = false
    ) -> any RunObserver {
        let sink = DescriptorSink(descriptor: STDOUT_FILENO)
        if case .json = self { return JSONWatch(sink: sink) }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour)
        let options = WatchOptions(terminal, root: root, explains: explains)
        switch self {
        case .quiet: return QuietWatch(options, sink: sink)
        case .auto where terminal.interactive && Terminal.environment("TERM") != "dumb":
            return TreeWatch(options, sink: sink) { ScreenSize.of(STDOUT_FILENO) }
        case .auto, .lines, .json: return LineWatch(options, sink: sink)
        }
    }
}
