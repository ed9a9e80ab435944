/* Runs one signature of a SavedModel with TensorFlow's C API alone: no Python in the process.
 *
 *   run_saved_model DIRECTORY [-l LIBRARY]... [-i OPERATION FILE]... [-n OPERATION FILE]... [-o OPERATION INDEX]...
 *
 * -l  loads a library of operations (TF Text's) before the model.
 * -i  feeds a one-dimensional string tensor, one string per line of FILE.
 * -n  feeds a two-dimensional int32 tensor: FILE has its two sizes, then its numbers, divided by white space.
 * -o  fetches an output and prints it to standard output: a line "shape D0 D1 ...", then one value per line.
 *
 * Strings are printed as they are (a line end inside one would break the format); floats with nine digits, which
 * give a float32 back exactly. Exit code 1 and a message on standard error if TensorFlow reports an error.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

#define AT_MOST 32

static void fail_if(TF_Status* status, const char* what) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%s: %s\n", what, TF_Message(status));
  exit(1);
}

static void die(const char* what, const char* name) {
  fprintf(stderr, "%s: %s\n", what, name);
  exit(1);
}

static TF_Tensor* read_strings(const char* path) {
  FILE* file = fopen(path, "rb");
  if (!file) die("cannot read", path);
  char** lines = NULL;
  size_t* sizes = NULL;
  int64_t count = 0;
  char* line = NULL;
  size_t capacity = 0;
  ssize_t size;
  while ((size = getline(&line, &capacity, file)) >= 0) {
    if (size > 0 && line[size - 1] == '\n') size--;
    lines = realloc(lines, (count + 1) * sizeof *lines);
    sizes = realloc(sizes, (count + 1) * sizeof *sizes);
    lines[count] = malloc(size + 1);
    memcpy(lines[count], line, size);
    sizes[count++] = size;
  }
  fclose(file);
  free(line);
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, &count, 1, count * sizeof(TF_TString));
  TF_TString* strings = TF_TensorData(tensor);
  for (int64_t i = 0; i < count; i++) {
    TF_StringInit(&strings[i]);
    TF_StringCopy(&strings[i], lines[i], sizes[i]);
    free(lines[i]);
  }
  free(lines);
  free(sizes);
  return tensor;
}

static TF_Tensor* read_numbers(const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) die("cannot read", path);
  long long rows, columns;
  if (fscanf(file, "%lld %lld", &rows, &columns) != 2) die("no sizes in", path);
  int64_t shape[] = {rows, columns};
  TF_Tensor* tensor = TF_AllocateTensor(TF_INT32, shape, 2, rows * columns * sizeof(int32_t));
  int32_t* numbers = TF_TensorData(tensor);
  for (long long i = 0; i < rows * columns; i++)
    if (fscanf(file, "%d", &numbers[i]) != 1) die("too few numbers in", path);
  fclose(file);
  return tensor;
}

static void print_tensor(TF_Tensor* tensor) {
  printf("shape");
  for (int i = 0; i < TF_NumDims(tensor); i++) printf(" %lld", (long long)TF_Dim(tensor, i));
  printf("\n");
  int64_t count = TF_TensorElementCount(tensor);
  void* data = TF_TensorData(tensor);
  for (int64_t i = 0; i < count; i++) {
    switch (TF_TensorType(tensor)) {
      case TF_STRING: {
        TF_TString* text = (TF_TString*)data + i;
        fwrite(TF_StringGetDataPointer(text), 1, TF_StringGetSize(text), stdout);
        break;
      }
      case TF_FLOAT:
        printf("%.9g", ((float*)data)[i]);
        break;
      case TF_INT32:
        printf("%d", ((int32_t*)data)[i]);
        break;
      default:
        fprintf(stderr, "an output of type %d\n", TF_TensorType(tensor));
        exit(1);
    }
    printf("\n");
  }
}

int main(int argc, char** argv) {
  if (argc < 2) die("usage", "run_saved_model DIRECTORY [-l LIBRARY] [-i|-n OPERATION FILE] [-o OPERATION INDEX]");
  const char *input_names[AT_MOST], *output_names[AT_MOST];
  TF_Tensor *given[AT_MOST], *received[AT_MOST];
  int output_indices[AT_MOST], input_count = 0, output_count = 0;
  TF_Status* status = TF_NewStatus();
  for (int i = 2; i < argc; i++) {
    if (!strcmp(argv[i], "-l") && i + 1 < argc) {
      TF_LoadLibrary(argv[++i], status);
      fail_if(status, argv[i]);
    } else if (!strcmp(argv[i], "-i") && i + 2 < argc && input_count < AT_MOST) {
      input_names[input_count] = argv[++i];
      given[input_count++] = read_strings(argv[++i]);
    } else if (!strcmp(argv[i], "-n") && i + 2 < argc && input_count < AT_MOST) {
      input_names[input_count] = argv[++i];
      given[input_count++] = read_numbers(argv[++i]);
    } else if (!strcmp(argv[i], "-o") && i + 2 < argc && output_count < AT_MOST) {
      output_names[output_count] = argv[++i];
      output_indices[output_count++] = atoi(argv[++i]);
    } else {
      die("not understood", argv[i]);
    }
  }

  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph, NULL, status);
  fail_if(status, "loading");

  TF_Output inputs[AT_MOST], outputs[AT_MOST];
  for (int i = 0; i < input_count; i++) {
    inputs[i] = (TF_Output){TF_GraphOperationByName(graph, input_names[i]), 0};
    if (!inputs[i].oper) die("no such operation", input_names[i]);
  }
  for (int i = 0; i < output_count; i++) {
    outputs[i] = (TF_Output){TF_GraphOperationByName(graph, output_names[i]), output_indices[i]};
    if (!outputs[i].oper) die("no such operation", output_names[i]);
  }
  TF_SessionRun(session, NULL, inputs, given, input_count, outputs, received, output_count, NULL, 0, NULL, status);
  fail_if(status, "running");
  for (int i = 0; i < output_count; i++) {
    print_tensor(received[i]);
    TF_DeleteTensor(received[i]);
  }
  for (int i = 0; i < input_count; i++) TF_DeleteTensor(given[i]);
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteStatus(status);
  return 0;
}
