//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// messageBytes is how much text of the validation layer's messages is kept.
const messageBytes = 64 << 10

// messages are those of the validation layer, which may come from any thread.
var messages struct {
	sync.Mutex
	count int
	text  strings.Builder
}

// onMessage is called by the layer. Its result says that the call under way goes on.
func onMessage(_, _ uint32, data *debugUtilsMessengerCallbackDataEXT, _ unsafe.Pointer) uintptr {
	messages.Lock()
	defer messages.Unlock()
	messages.count++
	if line := text(data.pMessage); messages.text.Len()+len(line) < messageBytes {
		messages.text.WriteString(line + "\n")
	}
	return 0
}

// listen asks for warnings and errors of every type.
func (i *instance) listen() int {
	create := i.call("vkCreateDebugUtilsMessengerEXT")
	if create == 0 {
		return -7
	}
	info := &debugUtilsMessengerCreateInfoEXT{sType: 1000128004, messageSeverity: 0x1100, messageType: 0x7, pfnUserCallback: purego.NewCallback(onMessage)}
	_, code := made(create, i.handle, info)
	return code
}

func (i *instance) Messages() (int, string) {
	messages.Lock()
	defer messages.Unlock()
	return messages.count, messages.text.String()
}
